/** Starts what takes clients of ports where TLS ends in the enclave, behind the programs and before any route to them opens. */
import { PURPOSE } from '../../../../acra/certificate/chain.ts';
import { requireNoFinding } from '../../../../keys/finding.ts';
import { readCertificateFile } from '../../../../keys/tls/certificate-file.ts';
import { checkAuthorities } from '../../../../keys/tls/certificate-rules.ts';
import { AppFleet } from '../../../ingress/app-fleet.ts';
import { type EndedPort, EndedPorts } from '../../../ingress/ended-ports.ts';
import type { Workload } from '../../../workloads/workload.ts';
import type { Phase, PhaseContext } from '../../phase.ts';
import { readMeasured } from '../configuration.ts';
import type { MachineReady } from '../machine.ts';
import type { RequestsReady } from '../requests.ts';
import type { TlsKeyKnown } from '../tls-key.ts';
import type { AppConfigured } from './configuration.ts';
import type { ProgramsReady } from './programs.ts';

export interface AppIngressReady {
  /** Undefined where no port ends TLS. */
  readonly endedPorts: EndedPorts | undefined;
  /** Programs, and what stands before them. */
  readonly fleet: Workload;
}

type Needs = MachineReady & AppConfigured & TlsKeyKnown & RequestsReady & ProgramsReady;

export const appIngressPhase: Phase<Needs, AppIngressReady> = {
  name: 'ingress',
  deadlineMs: ({ config }) => config.deadlines.readyMs,
  async run(have, context) {
    const { programs, config, confine, serverCertificate, tlsKey, attestor } = have;
    const ports = endedPortsOf(have, context);
    if (ports.size === 0 || !tlsKey) return { endedPorts: undefined, fleet: programs };
    const { clock, random, logger, signal, defer, fail } = context;
    const endedPorts = new EndedPorts({
      ports,
      restart: config.restart,
      confine,
      serverCertificate,
      serverKey: () => tlsKey.shown.privateKey,
      answerRequest: (request, gone) => attestor.answer(request, gone),
      clock,
      random,
      logger,
      onFailure: fail,
    });
    defer(() => endedPorts.stop());
    await endedPorts.start(signal);
    return { endedPorts, fleet: new AppFleet(programs, endedPorts) };
  },
};

function endedPortsOf({ config, pathOf }: Needs, { clock }: PhaseContext): ReadonlyMap<string, EndedPort> {
  const caOf = (file: string): string => {
    const bytes = readMeasured(pathOf(file));
    requireNoFinding(checkAuthorities(readCertificateFile(file, bytes), PURPOSE.client, clock.nowMs(), false));
    return bytes.toString('utf8');
  };
  const ended = Object.entries(config.ingress).filter(([, { tls }]) => tls === 'ended');
  return new Map(
    ended.map(([name, port]) => [
      name,
      { ...port, clientCaPem: port.clientCa === undefined ? undefined : caOf(port.clientCa) },
    ]),
  );
}
