/**
 * The client identities that are being served: each is started when its first client comes and stopped when it has had no session
 * for a while. No more run at once than memory allows: then the longest idle one goes, and where none is idle the newcomer has to wait.
 */
import { totalmem } from 'node:os';
import { clientIdFromName } from '../../../acra/client-id.ts';
import { loginOf } from '../../../config/user-secrets.ts';
import { Deadline } from '../../../runtime/deadline.ts';
import { describeError, errorCode } from '../../../runtime/errors.ts';
import type { Confinement } from '../../../system/processes/confinement.ts';
import type { ChildState } from '../../children/child.ts';
import type { Member } from '../workload.ts';
import type { GuardTally } from './guard-tally.ts';
import { Identity, type IdentityPlan } from './identity.ts';
import type { SessionsDeps } from './sessions-deps.ts';

const MIB = 1024 * 1024;
const IDLE_MS = 10 * 60 * 1000;
/** For a guard and an acra-server to come. */
const START_MS = 30_000;
/** For a guard that ended to come back; clients wait as long for a login. */
const RESTART_MS = 10_000;
/** What an enclave needs beside identities: kernel, supervisor, relay, front (docs/performance.md). */
const RESERVED_BYTES = 448 * MIB;
/** A guard and an acra-server at work; both have bounds of their own above that. */
const IDENTITY_BYTES = 160 * MIB;

interface Running {
  readonly identity: Identity;
  /** Where its guard listens. */
  readonly path: Promise<string>;
  /** Sessions. */
  open: number;
  idleSinceMs: number;
  idle: AbortController;
  /** Why it serves nobody any more: a poison record was read. */
  closed?: string;
}

export type Served =
  | { readonly kind: 'guard'; readonly path: string }
  | { readonly kind: 'refused'; readonly sqlState: string; readonly message: string };

function refused(sqlState: string, message: string): Served {
  return { kind: 'refused', sqlState, message };
}

/** How many fit into a machine. */
export function identitiesIn(memoryBytes: number): number {
  return Math.max(1, Math.floor((memoryBytes - RESERVED_BYTES) / IDENTITY_BYTES));
}

export class Identities {
  readonly #deps: SessionsDeps;
  readonly #front: Confinement['user'];
  readonly #tally: GuardTally;
  readonly #users: ReadonlyMap<string, IdentityPlan['users']>;
  readonly #maxRunning: number;
  readonly #running = new Map<string, Running>();
  /** What is being stopped: its users and folders are not free yet. */
  readonly #retiring = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();

  /** @param front who may connect to guards @param tally of what guards count */
  constructor(deps: SessionsDeps, front: Confinement['user'], tally: GuardTally) {
    this.#deps = deps;
    this.#front = front;
    this.#tally = tally;
    this.#users = usersByClient(deps);
    this.#maxRunning = deps.config.acra.maxRunning ?? identitiesIn(totalmem());
    deps.logger.log('info', 'identity.room', { maxRunning: this.#maxRunning, known: this.known.length });
  }

  get members(): readonly Member[] {
    return [...this.#running.values()].flatMap(({ identity }) => identity.members);
  }

  /** Clients that may come: they have keys, and with `login: client` all of them, else those with a user of the database. */
  get known(): readonly string[] {
    const { config, keyClients } = this.#deps;
    if (loginOf(config.database) === 'client') return keyClients;
    return keyClients.filter((clientId) => this.#users.has(clientId));
  }

  /** Never rejects. */
  async serve(clientId: string): Promise<Served> {
    if (!this.known.includes(clientId)) {
      this.#deps.logger.log('warn', 'identity.unknown', { clientId });
      return refused('28000', 'this certificate is not one that the enclave serves');
    }
    const running = this.#running.get(clientId) ?? this.#start(clientId);
    if (!running) return refused('53300', `${this.#maxRunning} clients are served at once, and none of them is idle`);
    try {
      const path = await running.path;
      using deadline = new Deadline(this.#deps.clock, RESTART_MS, this.#stopping.signal);
      if (running.closed === undefined) await running.identity.untilListening(deadline.signal);
      if (running.closed === undefined) return { kind: 'guard', path };
      return refused('57P03', `sessions of this client are closed: ${running.closed}`);
    } catch (error) {
      const reason = describeError(error);
      this.#deps.logger.log('error', 'identity.failed', { clientId, code: errorCode(error), reason });
      return refused('57P03', 'what serves this client could not be started; try again');
    }
  }

  /** Starts one without a client: what would keep every acra-server from starting is found so. @throws as Identity.start */
  async warmUp(): Promise<void> {
    const [first] = this.known;
    if (first !== undefined) await this.#start(first)?.path;
  }

  drain(isLast: boolean): void {
    for (const { identity } of this.#running.values()) identity.drain(isLast);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const stopped = [...this.#running.values()].map(({ identity, idle }) => {
      idle.abort();
      return identity.stop();
    });
    this.#running.clear();
    await Promise.all([...stopped, ...this.#retiring.values()]);
  }

  /** Undefined where there is no room. */
  #start(clientId: string): Running | undefined {
    if (this.#running.size >= this.#maxRunning && !this.#makeRoom()) return undefined;
    const plan = { clientId, users: this.#users.get(clientId) ?? [], front: this.#front };
    const identity = new Identity(this.#deps, plan, {
      onState: (state) => this.#follow(clientId, state),
      onSessions: (open) => this.#count(clientId, open),
      counts: this.#tally.teller(),
    });
    const running: Running = {
      identity,
      path: this.#whenFree(identity),
      open: 0,
      idleSinceMs: this.#deps.clock.monotonicMs(),
      idle: new AbortController(),
    };
    this.#running.set(clientId, running);
    running.path.then(
      () => this.#count(clientId, 0),
      () => this.#running.delete(clientId),
    );
    return running;
  }

  async #whenFree(identity: Identity): Promise<string> {
    // Also whoever makes room must be gone first: it is memory that is short.
    await Promise.all(this.#retiring.values());
    using deadline = new Deadline(this.#deps.clock, START_MS, this.#stopping.signal);
    return await identity.start(deadline.signal);
  }

  #makeRoom(): boolean {
    const idle = [...this.#running].filter(([, { open, closed }]) => open === 0 && closed === undefined);
    const [longest] = idle.toSorted(([, a], [, b]) => a.idleSinceMs - b.idleSinceMs);
    if (longest) this.#retire(...longest);
    return longest !== undefined;
  }

  /** After a poison record nobody of this identity is served any more; others are. */
  #follow(clientId: string, state: ChildState): void {
    const running = this.#running.get(clientId);
    if (state.kind !== 'failed' || !running) return;
    running.closed = state.reason;
    this.#deps.logger.log('fatal', 'identity.closed', { clientId, code: state.code, reason: state.reason });
    running.identity.drain(true);
  }

  #count(clientId: string, open: number): void {
    const running = this.#running.get(clientId);
    if (!running) return;
    running.open = open;
    running.idle.abort();
    if (open > 0 || running.closed !== undefined) return;
    running.idle = new AbortController();
    running.idleSinceMs = this.#deps.clock.monotonicMs();
    this.#deps.clock.sleep(IDLE_MS, running.idle.signal).then(
      () => this.#retire(clientId, running),
      () => undefined,
    );
  }

  /** A client that comes meanwhile finds nobody, and the front asks again. */
  #retire(clientId: string, running: Running): void {
    if (this.#running.get(clientId) !== running) return;
    this.#running.delete(clientId);
    running.idle.abort();
    this.#deps.logger.log('info', 'identity.idle', { clientId });
    const stopped = running.identity.stop().finally(() => this.#retiring.delete(clientId));
    this.#retiring.set(clientId, stopped);
  }
}

/** Whom each client may be in the database, by client ids. A name is hashed once: there may be thousands, and nobody waits for them later. */
function usersByClient({ config, databaseSecrets }: SessionsDeps): ReadonlyMap<string, IdentityPlan['users']> {
  const pairs = config.database.users.flatMap(({ name, clients, databases }) => {
    const secrets = databaseSecrets.get(name);
    const user = secrets && { name, databases, secrets };
    return user
      ? clients.map((client) => ({ clientId: clientIdFromName(client, config.acra.clientIdFrom), user }))
      : [];
  });
  const byClient = Map.groupBy(pairs, ({ clientId }) => clientId);
  return new Map([...byClient].map(([clientId, own]) => [clientId, own.map(({ user }) => user)]));
}
