/**
 * What serves sessions where TLS ends in the enclave: one front for all, and for each client identity a guard and an acra-server, on
 * demand. The front asks for an identity when the first client of it comes; one without sessions for a while is stopped.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { clientIdFromName } from '../../../acra/client-id.ts';
import { untilAborted } from '../../../runtime/abort.ts';
import { Deadline } from '../../../runtime/deadline.ts';
import { describeError, errorCode } from '../../../runtime/errors.ts';
import type { FromFront, GuardAnswer, ServeFront } from '../../../sessions/messages.ts';
import { fromFrontSchema } from '../../../sessions/messages.ts';
import type { Confinement } from '../../../system/processes/confinement.ts';
import type { UnixEndpoint } from '../../../wire/endpoint.ts';
import type { MetricSample } from '../../../wire/metrics.ts';
import type { ChildState } from '../../children/child.ts';
import { SupervisedChild } from '../../children/child.ts';
import type { Member, MemberListener, Workload } from '../workload.ts';
import { FrontTally } from './front-tally.ts';
import { Identity } from './identity.ts';
import { SessionProgram } from './session-program.ts';
import type { SessionsDeps } from './sessions-deps.ts';

const MIB = 1024 * 1024;
const FRONT_BOUNDS = { maxMemoryBytes: 1024 * MIB, maxTasks: 64 } as const;
const IDLE_MS = 10 * 60 * 1000;
/** For a guard and an acra-server to come. */
const START_MS = 30_000;
const NO_ALARMS = new Map();

type FrontMessage = Exclude<FromFront, { readonly type: 'log' | 'listening' }>;

interface Running {
  readonly identity: Identity;
  /** Where its guard listens. */
  readonly path: Promise<string>;
  readonly idle: { timer: AbortController };
  /** Set when it must not serve any more: a poison record was read. */
  closed?: { readonly code: string; readonly reason: string };
}

export class SessionFleet implements Workload {
  readonly #deps: SessionsDeps;
  readonly #home: Confinement;
  readonly #front: SupervisedChild;
  readonly #program: SessionProgram<FrontMessage>;
  readonly #tally = new FrontTally();
  readonly #running = new Map<string, Running>();
  /** What is being stopped: its users and folders are not free yet. */
  readonly #retiring = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();
  #listeners: MemberListener[] = [];

  constructor(deps: SessionsDeps) {
    this.#deps = deps;
    this.#home = deps.confine('front', FRONT_BOUNDS, 'session');
    this.#program = this.#frontProgram();
    this.#front = new SupervisedChild(this.#program.spec, {
      ...deps,
      onState: (state) => this.#tell(state),
    });
  }

  /** Where clients' connections go. */
  get address(): UnixEndpoint {
    return { kind: 'unix', path: join(this.#home.folder, 'front.sock') };
  }

  get essential(): readonly Member[] {
    return [{ id: 'front', child: this.#front, alarms: NO_ALARMS }];
  }

  get members(): readonly Member[] {
    return [...this.essential, ...[...this.#running.values()].flatMap(({ identity }) => identity.members)];
  }

  get samples(): readonly MetricSample[] {
    return this.#tally.samples;
  }

  subscribe(notify: MemberListener): void {
    this.#listeners = [...this.#listeners, notify];
  }

  /**
   * Resolves when the front listens, and one identity has come up: what would keep every acra-server from starting is found here.
   * @throws CodedError as SupervisedChild.start
   */
  async start(signal: AbortSignal): Promise<void> {
    await this.#front.start(signal);
    const [first] = this.#knownClients();
    if (first !== undefined) await untilAborted(this.#serve(first).path, signal);
  }

  async drain(drainMs: number): Promise<void> {
    this.#program.send({ type: 'drain', isLast: false });
    for (const { identity } of this.#running.values()) identity.drain(false);
    await this.#deps.clock.sleep(drainMs, this.#stopping.signal).catch(() => undefined);
    for (const { identity } of this.#running.values()) identity.drain(true);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const identities = [...this.#running.values()].map(({ identity, idle }) => {
      idle.timer.abort();
      return identity.stop();
    });
    await Promise.all([this.#front.stop(), ...identities, ...this.#retiring.values()]);
    this.#running.clear();
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
      },
      serve: () => ({ message: this.#serveFront(), secrets: [serverKey] }),
      onMessage: (message) => {
        if (message.type === 'counts') this.#tally.take(message);
        else void this.#answer(message.clientId);
      },
    });
  }

  #serveFront(): ServeFront {
    const { config, certificatePem, clientCaPem, databaseTarget } = this.#deps;
    return {
      type: 'serve',
      listenPath: this.address.path,
      certificatePem,
      clientCaPem,
      minTls: config.ingress.minTls,
      clientIdFrom: config.acra.clientIdFrom,
      revoked: config.ingress.revoked,
      database: databaseTarget,
      limits: config.ingress.limits,
    };
  }

  async #answer(clientId: string): Promise<void> {
    const refuse = (sqlState: string, message: string): GuardAnswer => ({
      type: 'no-guard',
      clientId,
      sqlState,
      message,
    });
    if (this.#stopping.signal.aborted) return;
    if (!this.#knownClients().includes(clientId)) {
      this.#deps.logger.log('warn', 'identity.unknown', { clientId });
      this.#program.send(refuse('28000', 'this certificate is not one that the enclave serves'));
      return;
    }
    const running = this.#serve(clientId);
    try {
      const path = await running.path;
      if (running.closed)
        this.#program.send(refuse('57P03', `sessions of this client are closed: ${running.closed.reason}`));
      else this.#program.send({ type: 'guard', clientId, path });
    } catch (error) {
      this.#program.send(refuse('57P03', 'what serves this client could not be started; try again'));
      this.#deps.logger.log('error', 'identity.failed', {
        clientId,
        code: errorCode(error),
        reason: describeError(error),
      });
    }
  }

  /** Clients that may come: they have keys, and with `login: certificate` a user of the database. */
  #knownClients(): readonly string[] {
    const { config, keyClients } = this.#deps;
    const { login = 'certificate' } = config.database;
    if (login !== 'certificate') return keyClients;
    return keyClients.filter((clientId) => this.#usersOf(clientId).length > 0);
  }

  #usersOf(clientId: string) {
    const { config, databaseSecrets } = this.#deps;
    const isIts = (name: string) => clientIdFromName(name, config.acra.clientIdFrom) === clientId;
    return config.database.users.flatMap(({ name, clients, databases }) => {
      const password = databaseSecrets.get(name);
      return password && clients.some(isIts) ? [{ name, databases, password }] : [];
    });
  }

  #serve(clientId: string): Running {
    const known = this.#running.get(clientId);
    if (known) return known;
    const idle = { timer: new AbortController() };
    const identity = new Identity(
      this.#deps,
      { clientId, users: this.#usersOf(clientId), front: this.#home.user },
      {
        onState: (state) => this.#follow(clientId, state),
        onSessions: (open) => this.#countIdle(clientId, open),
      },
    );
    const path = this.#startIdentity(clientId, identity);
    const running: Running = { identity, path, idle };
    this.#running.set(clientId, running);
    path.then(
      () => this.#countIdle(clientId, 0),
      () => this.#running.delete(clientId),
    );
    return running;
  }

  async #startIdentity(clientId: string, identity: Identity): Promise<string> {
    await this.#retiring.get(clientId);
    using deadline = new Deadline(this.#deps.clock, START_MS, this.#stopping.signal);
    return await identity.start(deadline.signal);
  }

  /** After a poison record nobody of this identity is served any more; others are. */
  #follow(clientId: string, state: ChildState): void {
    const running = this.#running.get(clientId);
    if (state.kind !== 'failed' || !running) return;
    running.closed = { code: state.code, reason: state.reason };
    this.#deps.logger.log('fatal', 'identity.closed', { clientId, code: state.code, reason: state.reason });
    running.identity.drain(true);
  }

  #countIdle(clientId: string, open: number): void {
    const running = this.#running.get(clientId);
    if (!running || running.closed) return;
    running.idle.timer.abort();
    if (open > 0) return;
    running.idle.timer = new AbortController();
    this.#deps.clock.sleep(IDLE_MS, running.idle.timer.signal).then(
      () => this.#retire(clientId, running),
      () => undefined,
    );
  }

  /** A client that comes meanwhile finds nobody, and the front asks again. */
  async #retire(clientId: string, running: Running): Promise<void> {
    if (this.#running.get(clientId) !== running) return;
    this.#running.delete(clientId);
    this.#deps.logger.log('info', 'identity.idle', { clientId });
    const stopped = running.identity.stop();
    this.#retiring.set(clientId, stopped);
    await stopped;
    this.#retiring.delete(clientId);
  }

  #tell(state: ChildState): void {
    const [front] = this.essential;
    if (front) for (const notify of this.#listeners) notify(front, state);
  }
}
