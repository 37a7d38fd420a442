/**
 * The client identities that are being served: each is started when its first client comes and stopped when it has had no session
 * for a while. No more run at once than memory allows: then the longest idle one goes, and where none is idle the newcomer has to wait.
 * Other keys they take together: until all of them have, none begins, and where one cannot, all go back.
 */
import { totalmem } from 'node:os';
import { untilAborted } from '../../../runtime/abort.ts';
import { Deadline } from '../../../runtime/deadline.ts';
import { describeError, errorCode } from '../../../runtime/errors.ts';
import { untilAll } from '../../../runtime/until-all.ts';
import type { Confinement } from '../../../system/processes/confinement.ts';
import type { ChildState } from '../../children/child.ts';
import type { EnclaveKeys } from '../../keys/keys-in-use.ts';
import type { Member, ServedIdentities } from '../workload.ts';
import type { GuardTally } from './guard-tally.ts';
import { Identity } from './identity.ts';
import { clientsKnownBy, type KnownClients } from './known-clients.ts';
import type { SessionsDeps } from './sessions-deps.ts';

const MIB = 1024 * 1024;
const IDLE_MS = 10 * 60 * 1000;
/** For a guard and an acra-server to come. */
const START_MS = 30_000;
/** For a guard that ended to come back; clients wait as long for a login. */
const RESTART_MS = 10_000;
/** For sessions to be told of their end. */
const FAREWELL_MS = 1_000;
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
  readonly #knownBy: (keys: EnclaveKeys) => KnownClients;
  #keys: EnclaveKeys;
  #known: KnownClients;
  /** Settles when other keys are in use, or those of before again. */
  #changing: Promise<unknown> = Promise.resolve();
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
    this.#knownBy = clientsKnownBy(deps.config);
    this.#keys = deps.keys.current;
    this.#known = this.#knownBy(this.#keys);
    this.#maxRunning = deps.config.acra.maxRunning ?? identitiesIn(totalmem());
    deps.logger.log('info', 'identity.room', { maxRunning: this.#maxRunning, known: this.#known.size });
  }

  get members(): readonly Member[] {
    return [...this.#running.values()].flatMap(({ identity }) => identity.members);
  }

  get status(): ServedIdentities {
    const running = [...this.#running].map(([clientId, { identity, open, closed }]) => {
      const { members } = identity;
      const serves = members.length > 0 && members.every(({ child }) => child.state.kind === 'running');
      const restarts = members.reduce((sum, { child }) => sum + child.restarts, 0);
      const state = closed !== undefined ? 'closed' : serves ? 'serving' : 'starting';
      return { clientId, state, sessions: open, restarts } as const;
    });
    return { known: this.#known.size, running };
  }

  /** Never rejects. */
  async serve(clientId: string): Promise<Served> {
    if (!this.#known.has(clientId)) {
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
    const [first] = this.#known.keys();
    if (first !== undefined) await this.#start(first)?.path;
  }

  /**
   * Nobody of those that run loses a session by it, but for clients that have no keys any more.
   * @throws what kept one of them from going over: all work with the keys of before then. The signal's reason
   */
  async change(next: EnclaveKeys, signal: AbortSignal): Promise<void> {
    const change = this.#exchange(next, AbortSignal.any([signal, this.#stopping.signal]));
    this.#changing = change.catch(() => undefined);
    await change;
  }

  async #exchange(next: EnclaveKeys, signal: AbortSignal): Promise<void> {
    const before = [this.#keys, this.#known] as const;
    const known = this.#knownBy(next);
    // Those who have no keys any more go on with the old ones until it is settled that they go.
    const running = [...this.#running].filter(([clientId]) => known.has(clientId));
    try {
      await untilAll(running.map(([clientId, each]) => this.#goOver(clientId, each, next, known, signal)));
      signal.throwIfAborted();
      [this.#keys, this.#known] = [next, known];
      if (this.#running.size === 0) await this.#tryOut(signal);
      for (const [, { identity }] of running) identity.settle();
      await Promise.all([...this.#running].map(([clientId, each]) => this.#dismissUnknown(clientId, each)));
    } catch (error) {
      [this.#keys, this.#known] = before;
      await Promise.all(running.map(([, { identity }]) => identity.goBack()));
      throw error;
    } finally {
      // Also they have had keys.
      await Promise.all(this.#retiring.values());
    }
  }

  async #goOver(
    clientId: string,
    running: Running,
    next: EnclaveKeys,
    known: KnownClients,
    signal: AbortSignal,
  ): Promise<void> {
    const isGone = () => this.#running.get(clientId) !== running;
    const started = running.path.catch(() => undefined);
    await untilAborted(started, signal);
    // One that has not come up uses nothing.
    if (isGone()) return;
    try {
      await running.identity.change(next, known.get(clientId) ?? [], signal);
    } catch (error) {
      if (!isGone()) throw error;
    }
  }

  /** Where nobody is served, nobody would find that no acra-server starts with these keys. */
  async #tryOut(signal: AbortSignal): Promise<void> {
    const [first] = this.#known.keys();
    const trial = first === undefined ? undefined : this.#start(first, Promise.resolve());
    if (first === undefined || !trial) return;
    try {
      await untilAborted(trial.path, signal);
    } catch (error) {
      this.#retire(first, trial);
      throw error;
    }
  }

  /** A client whose keys are gone. */
  async #dismissUnknown(clientId: string, running: Running): Promise<void> {
    if (this.#known.has(clientId)) return;
    running.closed = 'it has no keys any more';
    this.#deps.logger.log('warn', 'identity.dismissed', { clientId, sessions: running.open });
    running.identity.drain(true);
    if (running.open > 0) await this.#deps.clock.sleep(FAREWELL_MS, this.#stopping.signal).catch(() => undefined);
    this.#retire(clientId, running);
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

  /** Undefined where there is no room. @param turn of its keys: none begins while they are exchanged */
  #start(clientId: string, turn = this.#changing): Running | undefined {
    if (this.#running.size >= this.#maxRunning && !this.#makeRoom()) return undefined;
    const plan = { clientId, front: this.#front };
    const identity = new Identity(this.#deps, plan, {
      onState: (state) => this.#follow(clientId, state),
      onSessions: (open) => this.#count(clientId, open),
      counts: this.#tally.teller(),
    });
    const running: Running = {
      identity,
      path: this.#whenFree(clientId, identity, turn),
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

  async #whenFree(clientId: string, identity: Identity, turn: Promise<unknown>): Promise<string> {
    await turn;
    // Also whoever makes room must be gone first: it is memory that is short.
    await Promise.all(this.#retiring.values());
    using deadline = new Deadline(this.#deps.clock, START_MS, this.#stopping.signal);
    return await identity.start(this.#keys, this.#known.get(clientId) ?? [], deadline.signal);
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
