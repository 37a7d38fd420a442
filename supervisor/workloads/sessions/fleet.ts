/**
 * What serves sessions where TLS ends in the enclave: one front for all, and for each client identity a guard and an acra-server, which
 * the front asks for when the first client of it comes (identities.ts).
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { untilAborted } from '../../../runtime/abort.ts';
import type { FromFront, ServeFront } from '../../../sessions/messages.ts';
import { fromFrontSchema } from '../../../sessions/messages.ts';
import type { Confinement } from '../../../system/processes/confinement.ts';
import type { UnixEndpoint } from '../../../wire/endpoint.ts';
import type { MetricSample } from '../../../wire/metrics.ts';
import type { ChildState } from '../../children/child.ts';
import { SupervisedChild } from '../../children/child.ts';
import { type Member, type MemberListener, NO_ALARMS, type ServedIdentities, type Workload } from '../workload.ts';
import { FrontRequests } from './front-requests.ts';
import { FrontTally } from './front-tally.ts';
import { guardModeSamples, tellGuardMode } from './guard-mode.ts';
import { GuardTally } from './guard-tally.ts';
import { Identities } from './identities.ts';
import { SessionProgram } from './session-program.ts';
import type { SessionsDeps } from './sessions-deps.ts';

const MIB = 1024 * 1024;
const FRONT_BOUNDS = { maxMemoryBytes: 1024 * MIB, maxTasks: 64 } as const;

type FrontMessage = Exclude<FromFront, { readonly type: 'log' | 'listening' }>;

export class SessionFleet implements Workload {
  readonly #deps: SessionsDeps;
  readonly #home: Confinement;
  readonly #front: SupervisedChild;
  readonly #program: SessionProgram<FrontMessage>;
  readonly #tally = new FrontTally();
  readonly #requests: FrontRequests;
  readonly #guards = new GuardTally();
  readonly #identities: Identities;
  readonly #stopping = new AbortController();
  readonly #stopListening: () => void;
  readonly #stopFollowing: () => void;
  #listeners: MemberListener[] = [];

  constructor(deps: SessionsDeps) {
    this.#deps = deps;
    this.#home = deps.confine('front', FRONT_BOUNDS, 'session');
    this.#identities = new Identities(deps, this.#home.user, this.#guards);
    this.#program = this.#frontProgram();
    this.#requests = new FrontRequests({
      ...deps,
      answer: deps.answerRequest,
      limits: deps.config.ingress.limits.attestation,
      send: (answer) => this.#program.send(answer),
    });
    this.#front = new SupervisedChild(this.#program.spec, {
      ...deps,
      onState: (state) => this.#tell(state),
    });
    const { serverCertificate, serverKey } = deps;
    this.#stopListening = serverCertificate.subscribe(() => {
      this.#program.send({ type: 'certificate', certificatePem: serverCertificate.pem }, [serverKey()]);
    });
    this.#stopFollowing = deps.keys.subscribe((next, signal) => this.#identities.change(next, signal));
  }

  /** Where clients' connections go. */
  get address(): UnixEndpoint {
    return { kind: 'unix', path: join(this.#home.folder, 'front.sock') };
  }

  get essential(): readonly Member[] {
    return [{ id: 'front', child: this.#front, alarms: NO_ALARMS }];
  }

  get members(): readonly Member[] {
    return [...this.essential, ...this.#identities.members];
  }

  get identities(): ServedIdentities {
    return this.#identities.status;
  }

  get samples(): readonly MetricSample[] {
    return [...this.#tally.samples, ...this.#guards.samples, ...guardModeSamples(this.#deps.config.guard)];
  }

  subscribe(notify: MemberListener): void {
    this.#listeners = [...this.#listeners, notify];
  }

  /**
   * Resolves when the front listens, and one identity has come up: what would keep every acra-server from starting is found here.
   * @throws CodedError as SupervisedChild.start
   */
  async start(signal: AbortSignal): Promise<void> {
    tellGuardMode(this.#deps.config.guard, this.#deps.logger);
    await untilAborted(Promise.all([this.#front.start(signal), this.#identities.warmUp()]), signal);
  }

  async drain(drainMs: number): Promise<void> {
    this.#program.send({ type: 'drain', isLast: false });
    this.#identities.drain(false);
    await this.#deps.clock.sleep(drainMs, this.#stopping.signal).catch(() => undefined);
    this.#identities.drain(true);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#requests.stop();
    this.#stopListening();
    this.#stopFollowing();
    await Promise.all([this.#front.stop(), this.#identities.stop()]);
    this.#home.release();
  }

  #frontProgram(): SessionProgram<FrontMessage> {
    const { config, clock, logger, serverKey } = this.#deps;
    return new SessionProgram<FrontMessage>({
      kind: 'front',
      name: 'front',
      confinement: this.#home,
      restart: config.restart,
      clock,
      logger,
      schema: fromFrontSchema,
      prepare: () => {
        rmSync(this.address.path, { force: true });
        this.#tally.launched();
        this.#requests.launched();
      },
      serve: () => ({ message: this.#serveFront(), secrets: [serverKey()] }),
      onMessage: (message) => {
        if (message.type === 'counts') this.#tally.take(message);
        else if (message.type === 'request') void this.#requests.take(message);
        else void this.#answer(message.clientId);
      },
    });
  }

  #serveFront(): ServeFront {
    const { config, serverCertificate, clientCaPem, databaseTarget } = this.#deps;
    return {
      type: 'serve',
      listenPath: this.address.path,
      certificatePem: serverCertificate.pem,
      clientCaPem,
      minTls: config.ingress.minTls,
      clientIdFrom: config.acra.clientIdFrom,
      revoked: config.ingress.revoked,
      database: databaseTarget,
      limits: config.ingress.limits,
    };
  }

  async #answer(clientId: string): Promise<void> {
    const served = await this.#identities.serve(clientId);
    if (served.kind === 'guard') this.#program.send({ type: 'guard', clientId, path: served.path });
    else this.#program.send({ type: 'no-guard', clientId, sqlState: served.sqlState, message: served.message });
  }

  #tell(state: ChildState): void {
    const [front] = this.essential;
    if (front) for (const notify of this.#listeners) notify(front, state);
  }
}
