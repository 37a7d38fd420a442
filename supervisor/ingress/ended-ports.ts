/**
 * The ways into an application at which TLS ends in the enclave: one program for all of them (sessions/ports/), with a user of its own, so
 * that what clients send is read neither by the supervisor nor by the application before it is the application's. Its key is the
 * enclave's own, its certificate may change while clients are there.
 *
 *   client ─▶ host-proxy ─vsock─▶ relay ─unix socket of the port─▶ ports: TLS ends ─tcp─▶ the application's program
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { IngressPort } from '../../config/app/ingress.ts';
import type { EnclaveConfig } from '../../config/enclave.ts';
import { attestationLimits } from '../../config/ingress.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import type { FromPorts, ServedPort, ServePorts } from '../../sessions/ports/messages.ts';
import { fromPortsSchema } from '../../sessions/ports/messages.ts';
import type { Confinement } from '../../system/processes/confinement.ts';
import type { UnixEndpoint } from '../../wire/endpoint.ts';
import type { MetricSample } from '../../wire/metrics.ts';
import type { Answerer } from '../../wire/requests/serve.ts';
import { type ChildState, SupervisedChild } from '../children/child.ts';
import type { Machine } from '../platform.ts';
import { SPARE_PLACES } from '../routes.ts';
import type { ServerCertificate } from '../tls/server-certificate.ts';
import { FrontRequests } from '../workloads/sessions/front-requests.ts';
import { SessionProgram } from '../workloads/sessions/session-program.ts';
import { type Member, NO_ALARMS } from '../workloads/workload.ts';
import { PortsTally } from './ports-tally.ts';

/** Which no program of an application can have. */
const NAME = 'ended_tls';
const MIB = 1024 * 1024;
const BOUNDS = { maxMemoryBytes: 1024 * MIB, maxTasks: 64 } as const;

type PortsMessage = Exclude<FromPorts, { readonly type: 'log' | 'listening' }>;

export interface PortTarget {
  readonly address: UnixEndpoint;
  readonly maxConnections: number;
}

export interface EndedPort extends IngressPort {
  /** PEM of what `clientCa` names. */
  readonly clientCaPem: string | undefined;
}

export interface EndedPortsDeps {
  /** By name; those with `tls: ended`, at least one. */
  readonly ports: ReadonlyMap<string, EndedPort>;
  readonly restart: EnclaveConfig['restart'];
  readonly confine: Machine['confine'];
  readonly serverCertificate: ServerCertificate;
  /** PEM of the private key of the certificate that clients see at this moment. */
  readonly serverKey: () => SecretBuffer;
  /** To strangers who ask on one of the ports. */
  readonly answerRequest: Answerer;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly onFailure: (error: unknown) => void;
}

export class EndedPorts {
  readonly #deps: EndedPortsDeps;
  readonly #home: Confinement;
  readonly #program: SessionProgram<PortsMessage>;
  readonly #child: SupervisedChild;
  readonly #requests: FrontRequests;
  readonly #tally: PortsTally;
  readonly #stopListening: () => void;
  readonly #limits = attestationLimits.parse({});

  #listeners: ((state: ChildState) => void)[] = [];

  constructor(deps: EndedPortsDeps) {
    this.#deps = deps;
    this.#home = deps.confine(NAME, BOUNDS, 'session');
    this.#tally = new PortsTally([...deps.ports.keys()]);
    this.#program = this.#portsProgram();
    const send = (answer: object) => this.#program.send(answer);
    this.#requests = new FrontRequests({ ...deps, answer: deps.answerRequest, limits: this.#limits, send });
    const onState = (state: ChildState) => this.#tell(state);
    this.#child = new SupervisedChild(this.#program.spec, { ...deps, onState });
    const { serverCertificate, serverKey } = deps;
    this.#stopListening = serverCertificate.subscribe(() => {
      this.#program.send({ type: 'certificate', certificatePem: serverCertificate.pem }, [serverKey()]);
    });
  }

  get member(): Member {
    return { id: NAME, child: this.#child, alarms: NO_ALARMS };
  }

  get samples(): readonly MetricSample[] {
    return this.#tally.samples;
  }

  /** Where the relay's route of a port ends. The program must see what is too much, to choose whom to end. */
  targetOf(name: string): PortTarget | undefined {
    const port = this.#deps.ports.get(name);
    if (!port) return undefined;
    const { maxConnections, maxPending } = port.limits;
    const address = { kind: 'unix', path: this.#pathOf(name) } as const;
    return { address, maxConnections: maxConnections + maxPending + SPARE_PLACES };
  }

  /** Told of every change of the program's state from now on. */
  subscribe(notify: (state: ChildState) => void): void {
    this.#listeners = [...this.#listeners, notify];
  }

  /** Resolves when all ports listen. @throws CodedError as SupervisedChild.start */
  start(signal: AbortSignal): Promise<void> {
    return this.#child.start(signal);
  }

  /** No new connections; requests that are under way are answered. */
  drain(): void {
    this.#program.send({ type: 'drain', isLast: false });
  }

  async stop(): Promise<void> {
    this.#requests.stop();
    this.#stopListening();
    await this.#child.stop();
    this.#home.release();
  }

  #tell(state: ChildState): void {
    for (const notify of this.#listeners) notify(state);
  }

  /** A name would be too long for a socket's path in some folders. */
  #pathOf(name: string): string {
    return join(this.#home.folder, `port-${[...this.#deps.ports.keys()].indexOf(name)}.sock`);
  }

  #portsProgram(): SessionProgram<PortsMessage> {
    const { ports, restart, clock, logger, serverKey } = this.#deps;
    return new SessionProgram<PortsMessage>({
      kind: 'ports',
      name: NAME,
      confinement: this.#home,
      restart,
      clock,
      logger,
      schema: fromPortsSchema,
      prepare: () => {
        for (const name of ports.keys()) rmSync(this.#pathOf(name), { force: true });
        this.#tally.launched();
        this.#requests.launched();
      },
      serve: () => ({ message: this.#servePorts(), secrets: [serverKey()] }),
      onMessage: (message) => {
        if (message.type === 'counts') this.#tally.take(message);
        else void this.#requests.take(message);
      },
    });
  }

  #servePorts(): ServePorts {
    const { ports, serverCertificate } = this.#deps;
    return {
      type: 'serve',
      certificatePem: serverCertificate.pem,
      ports: [...ports].map(([name, port]) => servedPort(name, this.#pathOf(name), port)),
      attestation: this.#limits,
    };
  }
}

function servedPort(name: string, listenPath: string, port: EndedPort): ServedPort {
  const { to, protocol, minTls, clientCaPem, revoked, proxyProtocol, handshakeMs, maxConnectionsPerAddress } = port;
  const limits = { ...port.limits, handshakeMs, maxConnectionsPerAddress };
  return { name, listenPath, to, protocol, minTls, clientCaPem, revoked, proxyProtocol, limits };
}
