/**
 * One enclave from the start of its machine to its end: waits for the heartbeat and for readiness, each with a deadline,
 * watches it while it serves, and ends it in order when asked. Nothing of it is left when `run` settles.
 * An enclave that fails after it has served is left as it is, closed, until somebody ends it (decision 5): who made it
 * fail, by a poison record say, must not get a fresh one for it.
 */
import type { EnclaveRun } from '../../config/enclave-run.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import { describeError } from '../../runtime/errors.ts';
import { awaitsPeople } from './awaits-people.ts';
import type { EnclaveDriver, EnclaveEnd, RunningEnclave } from './driver.ts';
import { ENCLAVE_ERRORS, EnclaveError } from './errors.ts';
import type { LifecycleHost } from './host.ts';
import { LastWords } from './last-words.ts';
import type { Stage } from './status.ts';

/** Nothing tells that an enclave has become lost; so look. */
const LOOK_INTERVAL_MS = 250;
/** What an enclave wrote before its end is still on its way through the relay. */
const SETTLE_MS = 500;
/** An enclave that said that it stopped or failed powers itself off. */
const POWER_OFF_MS = 5_000;

export interface SessionDeps {
  readonly run: EnclaveRun;
  readonly driver: EnclaveDriver;
  readonly host: LifecycleHost;
  readonly clock: Clock;
  readonly followConsole: (onLine: (line: string) => void) => () => void;
  readonly onStage: (stage: Stage, enclaveId: string | null) => void;
}

/** What bounds a wait: the signal aborts at the deadline, or when the enclave shall stop. */
interface Limit {
  readonly signal: AbortSignal;
  readonly deadline?: Deadline;
  readonly late?: () => EnclaveError;
}

export class EnclaveSession {
  readonly #deps: SessionDeps;
  readonly #lastWords: LastWords;
  #enclave: RunningEnclave | undefined;
  #end: EnclaveEnd | undefined;
  #lostSinceMs: number | undefined;
  #toldPhase: string | undefined;
  #hasServed = false;
  #isClosed = false;
  /** Ends the wait for the next look. */
  #poke: () => void = () => undefined;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    this.#lastWords = new LastWords(deps.host.view);
  }

  /**
   * Resolves when the enclave ended in order, by itself or because `stop` aborted, and tells how.
   * @throws EnclaveError
   */
  async run(stop: AbortSignal): Promise<string> {
    const { host, followConsole } = this.#deps;
    using tidy = new DisposableStack();
    tidy.defer(followConsole((line) => this.#lastWords.keep(line)));
    tidy.defer(host.view.subscribe(() => this.#heard()));
    host.view.machineStarted();
    const failure = await this.#live(stop).then(
      () => undefined,
      (error: unknown) => (error === stop.reason ? undefined : error),
    );
    const how = await this.#bringDown(stop.aborted, failure);
    if (failure !== undefined) throw failure;
    return how;
  }

  /** Noted at once: the next word may be that it failed. */
  #heard(): void {
    this.#hasServed ||= this.#deps.host.view.serving;
    this.#poke();
  }

  /** Returns when the enclave says that it stopped. @throws EnclaveError, or the signal's reason. */
  async #live(stop: AbortSignal): Promise<void> {
    if (await this.#reachHeartbeat(stop)) return;
    this.#tell('booting');
    if (await this.#reachReadiness(stop)) return;
    this.#tell('serving');
    const watch = () => {
      this.#tellClosed();
      return false;
    };
    await this.#until(watch, { signal: stop });
  }

  /** @returns true when the enclave stopped by itself meanwhile. */
  async #reachHeartbeat(stop: AbortSignal): Promise<boolean> {
    const { run, clock } = this.#deps;
    this.#tell('starting');
    using deadline = new Deadline(clock, run.heartbeatMs, stop);
    const late = () =>
      this.#lastWords.error('ENCLAVE_HEARTBEAT_TIMEOUT', `no heartbeat came within ${run.heartbeatMs} ms`);
    const limit = { signal: deadline.signal, deadline, late };
    const enclave = await this.#start(limit);
    if (!enclave) return true;
    this.#tell('starting');
    const heartbeat = this.#noted(enclave.heartbeat);
    const isOver = await this.#until(() => heartbeat.settled, limit);
    if (!isOver) await heartbeat.promise;
    return isOver;
  }

  /** A start is cut short when the enclave fails meanwhile. @returns undefined when the enclave stopped by itself. */
  async #start(limit: Limit): Promise<RunningEnclave | undefined> {
    const abort = new AbortController();
    const starting = this.#noted(this.#deps.driver.start(AbortSignal.any([limit.signal, abort.signal])));
    try {
      if (await this.#until(() => starting.settled, limit)) return undefined;
      return await starting.promise;
    } catch (error) {
      throw this.#withLastWords(error);
    } finally {
      abort.abort();
      // Awaited in any case: an aborted start leaves nothing behind, and one that was too fast for that is ended later.
      await starting.promise.then(
        (enclave) => this.#adopt(enclave),
        () => undefined,
      );
    }
  }

  /** @returns true when the enclave stopped by itself meanwhile. */
  async #reachReadiness(stop: AbortSignal): Promise<boolean> {
    const { run, clock, host } = this.#deps;
    const late = () => {
      const phase = host.view.status?.phase ?? 'unknown';
      return this.#lastWords.error(
        'ENCLAVE_READY_TIMEOUT',
        `the enclave hangs in phase ${phase}: it does not serve ${run.readyMs} ms after its heartbeat`,
      );
    };
    for (;;) {
      using deadline = new Deadline(clock, run.readyMs, stop);
      const limit = { signal: deadline.signal, deadline, late };
      if (await this.#until(() => this.#hasServed || awaitsPeople(host.view), limit)) return true;
      if (this.#hasServed) return false;
      if (await this.#until(() => this.#hasServed || !awaitsPeople(host.view), { signal: stop })) return true;
    }
  }

  #adopt(enclave: RunningEnclave): void {
    this.#enclave = enclave;
    enclave.ended.then((end) => {
      this.#end = end;
      this.#poke();
    });
  }

  /** Wakes the wait when the promise settles. */
  #noted<Result>(promise: Promise<Result>): { readonly promise: Promise<Result>; settled: boolean } {
    const noted = { promise, settled: false };
    const note = () => {
      noted.settled = true;
      this.#poke();
    };
    promise.then(note, note);
    return noted;
  }

  /** Waits until `isDone`. @returns true when the enclave stopped by itself first. @throws EnclaveError, or the signal's reason */
  async #until(isDone: () => boolean, limit: Limit): Promise<boolean> {
    for (;;) {
      this.#tellPhase();
      if (await this.#isOver()) return true;
      if (limit.deadline?.hasPassed && limit.late) throw limit.late();
      limit.signal.throwIfAborted();
      if (isDone()) return false;
      await this.#nextLook(limit.signal);
    }
  }

  async #nextLook(signal: AbortSignal): Promise<void> {
    const poked = new AbortController();
    this.#poke = () => poked.abort();
    await this.#deps.clock.sleep(LOOK_INTERVAL_MS, AbortSignal.any([signal, poked.signal])).catch(() => undefined);
  }

  /** True when the enclave stopped by itself, in order. @throws EnclaveError when it failed, died or is lost for too long. */
  async #isOver(): Promise<boolean> {
    const { view } = this.#deps.host;
    if (this.#end) await this.#settle();
    if (view.status?.state === 'stopped') return true;
    if (this.#hasFailed && (this.#end || !this.#hasServed))
      throw this.#lastWords.error('ENCLAVE_FAILED', 'the enclave failed', this.#end?.detail);
    if (this.#end) throw this.#lastWords.error('ENCLAVE_DIED', 'the enclave ended by itself', this.#end.detail);
    this.#checkLost();
    return false;
  }

  get #hasFailed(): boolean {
    return this.#deps.host.view.status?.state === 'failed';
  }

  async #settle(): Promise<void> {
    const { clock, host } = this.#deps;
    using deadline = new Deadline(clock, SETTLE_MS);
    const mayBeOnItsWay = () => host.view.connected || host.view.status === undefined;
    while (mayBeOnItsWay() && !deadline.hasPassed) await this.#nextLook(deadline.signal);
  }

  #checkLost(): void {
    const { run, clock, host } = this.#deps;
    const nowMs = clock.monotonicMs();
    this.#lostSinceMs = host.view.state === 'lost' ? (this.#lostSinceMs ?? nowMs) : undefined;
    if (this.#lostSinceMs === undefined || nowMs - this.#lostSinceMs < run.lostMs) return;
    throw this.#lastWords.error('ENCLAVE_LOST', `nothing was heard from the enclave for over ${run.lostMs} ms`);
  }

  /** @returns how it ended. @throws EnclaveError ENCLAVE_NOT_TERMINATED, with the failure that it was brought down for */
  async #bringDown(asked: boolean, failure: unknown): Promise<string> {
    const { host } = this.#deps;
    const enclave = this.#enclave;
    if (!enclave) {
      host.enclaveEnded();
      return 'it had not started yet';
    }
    if (!this.#end) this.#tell('stopping');
    const graceMs = this.#graceMs(asked);
    await this.#untilEnded(graceMs);
    const isLate = this.#end === undefined;
    await this.#terminate(enclave, failure);
    const { detail } = await enclave.ended;
    const state = host.view.status?.state;
    host.enclaveEnded();
    if (isLate)
      return graceMs === 0 ? `it was terminated: ${detail}` : `it was terminated after ${graceMs} ms: ${detail}`;
    return state === 'stopped' ? `it stopped in order: ${detail}` : `its machine ended: ${detail}`;
  }

  async #terminate(enclave: RunningEnclave, failure: unknown): Promise<void> {
    try {
      await enclave.terminate();
    } catch (error) {
      if (failure === undefined) throw error;
      const found = describeError(error);
      throw new EnclaveError('ENCLAVE_NOT_TERMINATED', 'the enclave failed, and could not be ended', {
        found,
        cause: failure,
      });
    }
  }

  /** How long the machine may take to end by itself. */
  #graceMs(asked: boolean): number {
    const { run, host } = this.#deps;
    const powersOff = host.view.status?.state === 'stopped' || (this.#hasFailed && !this.#hasServed);
    if (powersOff) return POWER_OFF_MS;
    return asked && host.requestEnclaveStop() ? run.stopGraceMs : 0;
  }

  async #untilEnded(graceMs: number): Promise<void> {
    if (graceMs === 0) return;
    using deadline = new Deadline(this.#deps.clock, graceMs);
    while (!this.#end && !deadline.hasPassed) await this.#nextLook(deadline.signal);
    if (this.#end) await this.#settle();
  }

  #withLastWords(error: unknown): unknown {
    const hasWords = this.#deps.host.view.status !== undefined;
    if (!(error instanceof EnclaveError) || this.#lastWords.made(error) || !hasWords) return error;
    return this.#lastWords.error(error.code, error.message, error.found);
  }

  #tell(stage: Stage): void {
    this.#deps.onStage(stage, this.#enclave?.id ?? null);
  }

  /** An enclave that failed after it had served: said once, with what to do. */
  #tellClosed(): void {
    const { view, logger } = this.#deps.host;
    if (this.#isClosed || !this.#hasFailed) return;
    this.#isClosed = true;
    logger.log('error', 'enclave.closed', {
      code: 'ENCLAVE_CLOSED',
      errorCode: view.status?.errorCode,
      reason: view.status?.detail,
      advice: ENCLAVE_ERRORS.ENCLAVE_CLOSED.action,
    });
    this.#tell('closed');
  }

  #tellPhase(): void {
    const { view, logger } = this.#deps.host;
    if (!view.status || view.status.phase === this.#toldPhase) return;
    const { phase, state } = view.status;
    this.#toldPhase = phase;
    logger.log('info', 'enclave.phase', { phase, state });
  }
}
