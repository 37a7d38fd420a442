/** Starts the acra-servers. Each must listen before the phase ends; whether the database answers is the next phase's. */
import { acraListenOf } from '../../../config/enclave.ts';
import { SupervisorError } from '../../errors.ts';
import { AcraFleet } from '../../workloads/acra/fleet.ts';
import { SessionTls } from '../../workloads/acra/session-tls.ts';
import type { Phase } from '../phase.ts';
import type { BootStart } from '../start.ts';
import type { Configured } from './configuration.ts';
import type { ControlReady } from './control.ts';
import type { EgressReady } from './egress.ts';
import type { KeystoreReady } from './keystore.ts';
import type { MachineReady } from './machine.ts';
import type { MasterKeyReady } from './master-key.ts';

export interface AcraReady {
  readonly fleet: AcraFleet;
  readonly sessionTls: SessionTls;
}

type Needs = BootStart & ControlReady & MachineReady & Configured & EgressReady & MasterKeyReady & KeystoreReady;

export const acraPhase: Phase<Needs, AcraReady> = {
  name: 'acra',
  deadlineMs: ({ config }) => config.deadlines.acraMs,
  async run(have, { clock, random, logger, signal, defer, fail }) {
    const { relay, config, databaseAddress } = have;
    // Otherwise acra-server would serve whoever has a certificate, as whatever user of the database they ask for.
    if (config.ingress.tls !== 'passthrough') {
      throw new SupervisorError('BOOT_FRONT_MISSING', 'nothing ends TLS in the enclave yet', {
        found: `ingress.tls: ${config.ingress.tls}`,
        allowed: 'ingress.tls: passthrough',
      });
    }
    const sessionTls = new SessionTls(() => relay.counters()['ingress']?.opened ?? 0);
    const fleet = new AcraFleet({
      ...have,
      program: have.acraProgram,
      clock,
      random,
      logger,
      onFailure: fail,
      onRecord: (record) => sessionTls.observe(record),
    });
    defer(() => fleet.stop());
    const dialled = () => relay.counters()['database']?.accepted ?? 0;
    await fleet.add({ id: 'acra-server', listen: acraListenOf(config), database: databaseAddress, dialled }, signal);
    return { fleet, sessionTls };
  },
};
