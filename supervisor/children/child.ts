/**
 * Keeps one child process alive: launch, readiness probe, restart with back-off, crash-loop breaker, ordered stop.
 * An exit that nobody asked for is a failure whatever its code (acra-server exits 0 on some configuration errors).
 *
 *   launched ──probe──▶ running ──exit──▶ down ──at once; then back-off, or the breaker's long wait──▶ launched …
 *                                          └──an exit that must not be answered by a restart──▶ failed, for good
 *   running, down ──replace──▶ launched, at once
 */
import { untilAborted } from '../../runtime/abort.ts';
import { backoffMs } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import { describeError } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { Service } from '../../runtime/service.ts';
import { SupervisorError } from '../errors.ts';
import { CrashLoopBreaker } from './breaker.ts';
import { EndedBeforeReady } from './ended-before-ready.ts';
import type { Exit, ExitVerdict } from './exit.ts';

/** One running process. */
export interface ProcessHandle {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  kill(signal: NodeJS.Signals): void;
}

export interface ChildSpec {
  readonly name: string;
  readonly launch: () => ProcessHandle;
  /** Resolves when the process works; rejects when the signal aborts. */
  readonly probe: (signal: AbortSignal) => Promise<void>;
  /** What the probe found last, for people. */
  readonly lastFound?: () => string | undefined;
  readonly judgeExit: (exit: Exit) => ExitVerdict;
  /** What asks it to end; default: SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  readonly restart: {
    readonly minMs: number;
    readonly maxMs: number;
    readonly breakerExits: number;
    readonly breakerWindowMs: number;
    /** Between two tries while the breaker is open. */
    readonly breakerRetryMs: number;
    readonly stopGraceMs: number;
    readonly probeTimeoutMs: number;
  };
}

export type ChildState =
  | { readonly kind: 'running'; readonly pid: number; readonly restarts: number }
  | { readonly kind: 'down'; readonly code: string; readonly reason: string }
  | { readonly kind: 'failed'; readonly code: string; readonly reason: string };

export interface ChildDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly onState: (state: ChildState) => void;
  /** The supervision itself broke: nobody would notice anything of this child any more. */
  readonly onFailure: (error: unknown) => void;
}

export class SupervisedChild implements Service {
  readonly #spec: ChildSpec;
  readonly #deps: ChildDeps;
  readonly #breaker: CrashLoopBreaker;
  readonly #stopping = new AbortController();
  #process: ProcessHandle | undefined;
  /** The process that was killed because it no longer answered. */
  #unresponsive: ProcessHandle | undefined;
  #watching: Promise<void> | undefined;
  /** Somebody waits for another process than the one that there is. */
  #replacement: PromiseWithResolvers<void> | undefined;
  /** Ends the wait for a restart. */
  #hurry = new AbortController();
  #restarts = 0;
  #state: ChildState = { kind: 'down', code: 'CHILD_NOT_READY', reason: 'it has not been ready yet' };
  #failure: SupervisorError | undefined;

  constructor(spec: ChildSpec, deps: ChildDeps) {
    this.#spec = spec;
    this.#deps = deps;
    this.#breaker = new CrashLoopBreaker(deps.clock, {
      maxExits: spec.restart.breakerExits,
      windowMs: spec.restart.breakerWindowMs,
    });
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get state(): ChildState {
    return this.#state;
  }

  /** Set once the child is not going to be started again. */
  get failure(): SupervisorError | undefined {
    return this.#failure;
  }

  /**
   * The first launch: a child that ends before it was ever ready is an error, not something to retry.
   * @throws CodedError CHILD_LAUNCH_FAILED, or the code of its end; SupervisorError CHILD_NOT_READY
   */
  async start(signal: AbortSignal): Promise<void> {
    const process = await this.#launchAndProbe(signal);
    this.#watching = this.#watch(process).catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) this.#deps.onFailure(error);
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#replacement?.reject(this.#stopping.signal.reason);
    await this.#endProcess();
    await this.#watching;
  }

  /** Ends a process that no longer answers; the watcher restarts it like any other that ended. */
  killUnresponsive(): void {
    this.#unresponsive = this.#process;
    this.#process?.kill('SIGKILL');
  }

  /**
   * For a child that was started: ends its process and launches another at once, which counts as no failure; resolves when that is ready.
   * @throws as `start`: it is down then, and started again as after any end, or replaced; SupervisorError CHILD_NOT_RESTARTED; the signal's
   * reason, and it is replaced all the same
   */
  async replace(signal: AbortSignal): Promise<void> {
    this.#stopping.signal.throwIfAborted();
    if (this.#failure) throw this.#failure;
    const replaced = Promise.withResolvers<void>();
    replaced.promise.catch(() => undefined);
    this.#replacement?.resolve(replaced.promise);
    this.#replacement = replaced;
    this.#process?.kill('SIGKILL');
    this.#hurry.abort();
    await untilAborted(replaced.promise, signal);
  }

  async #launchAndProbe(signal: AbortSignal): Promise<ProcessHandle> {
    const { name, launch, probe, judgeExit } = this.#spec;
    const process = launch();
    this.#process = process;
    this.#breaker.recordStart();
    this.#deps.logger.log('info', 'child.launched', { child: name, pid: process.pid });
    const settled = new AbortController();
    const ended = process.exited.then((exit) => {
      if (settled.signal.aborted) return;
      throw new EndedBeforeReady(name, judgeExit(exit), exit);
    });
    try {
      await Promise.race([probe(AbortSignal.any([signal, settled.signal])), ended, this.#probeTimeout(settled.signal)]);
    } catch (error) {
      await this.#endProcess();
      throw error;
    } finally {
      settled.abort();
      ended.catch(() => undefined);
    }
    this.#deps.logger.log('info', 'child.ready', { child: name, pid: process.pid });
    this.#move({ kind: 'running', pid: process.pid, restarts: this.#restarts });
    return process;
  }

  async #probeTimeout(signal: AbortSignal): Promise<never> {
    const timeoutMs = this.#spec.restart.probeTimeoutMs;
    await this.#deps.clock.sleep(timeoutMs, signal);
    const found = this.#spec.lastFound?.();
    throw new SupervisorError('CHILD_NOT_READY', `${this.#spec.name} is not ready`, {
      ...(found === undefined ? {} : { found }),
      allowed: `${timeoutMs} ms`,
    });
  }

  async #watch(first: ProcessHandle): Promise<void> {
    let process: ProcessHandle | undefined = first;
    while (process) {
      const exit: Exit = { ...(await process.exited), wasUnresponsive: process === this.#unresponsive };
      if (this.#stopping.signal.aborted) return;
      process = await this.#restartAfter(this.#spec.judgeExit(exit), exit);
    }
  }

  /** Waits, launches again; gives up when the verdict says so. */
  async #restartAfter(verdict: ExitVerdict, exit: Exit): Promise<ProcessHandle | undefined> {
    if (!verdict.restart || !this.#replacement) {
      const exits = this.#recordExit(verdict, exit);
      if (!verdict.restart) return this.#giveUp(verdict.code, verdict.meaning);
      await this.#waitForRestart(verdict, exits);
    }
    // Whoever asks for a replacement later has another process ended than this one.
    const asked = this.#replacement;
    if (asked) this.#deps.logger.log('info', 'child.replaced', { child: this.#spec.name });
    else this.#restarts += 1;
    try {
      const process = await this.#launchAndProbe(this.#stopping.signal);
      if (asked && asked === this.#replacement) this.#replacement = undefined;
      asked?.resolve();
      return process;
    } catch (error) {
      this.#stopping.signal.throwIfAborted();
      return await this.#restartAfterFailure(error, asked);
    }
  }

  /** @param asked a replacement that failed: whoever asked for it may have what it was launched with mended, whatever its end meant */
  #restartAfterFailure(error: unknown, asked: PromiseWithResolvers<void> | undefined) {
    if (asked && asked === this.#replacement) this.#replacement = undefined;
    asked?.reject(error);
    if (error instanceof EndedBeforeReady) {
      const { verdict, exit } = error;
      return this.#restartAfter(asked ? { ...verdict, restart: true } : verdict, exit);
    }
    const failed = { code: 'CHILD_LAUNCH_FAILED', meaning: describeError(error), restart: true, alert: false };
    return this.#restartAfter(failed, { code: null, signal: null });
  }

  /** @returns how many lie in the breaker's window */
  #recordExit(verdict: ExitVerdict, exit: Exit): number {
    const exits = this.#breaker.recordExit();
    this.#deps.logger.log(verdict.alert ? 'fatal' : 'error', 'child.exited', {
      child: this.#spec.name,
      code: verdict.code,
      reason: verdict.meaning,
      exitCode: exit.code,
      signal: exit.signal,
      exits,
    });
    return exits;
  }

  async #waitForRestart(verdict: ExitVerdict, exits: number): Promise<void> {
    const { name, restart } = this.#spec;
    const { logger, random } = this.#deps;
    if (!this.#breaker.isOpen) {
      this.#move({ kind: 'down', code: verdict.code, reason: verdict.meaning });
      // The first end in the window is answered at once: waits are for what ends again.
      if (exits > 1) await this.#sleep(backoffMs(restart, exits - 2, random));
      return;
    }
    const retryMs = restart.breakerRetryMs;
    const reason = `${name} ends again and again (last ${verdict.code}: ${verdict.meaning}); next try in ${retryMs} ms`;
    logger.log('fatal', 'child.breaker-open', { child: name, code: verdict.code, exits, retryMs });
    this.#move({ kind: 'down', code: 'CHILD_BREAKER_OPEN', reason });
    await this.#sleep(retryMs);
  }

  /** Until a replacement is asked for. @throws the reason of a stop */
  async #sleep(ms: number): Promise<void> {
    this.#hurry = new AbortController();
    const ends = AbortSignal.any([this.#stopping.signal, this.#hurry.signal]);
    await this.#deps.clock.sleep(ms, ends).catch(() => this.#stopping.signal.throwIfAborted());
  }

  #giveUp(code: string, reason: string): undefined {
    this.#failure = new SupervisorError('CHILD_NOT_RESTARTED', `${this.#spec.name} is not started again: ${reason}`, {
      found: code,
    });
    this.#replacement?.reject(this.#failure);
    this.#deps.logger.log('fatal', 'child.given-up', { child: this.#spec.name, code, reason });
    this.#move({ kind: 'failed', code, reason });
  }

  #move(state: ChildState): void {
    this.#state = state;
    this.#deps.onState(state);
  }

  /** Its stop signal, the grace, then SIGKILL; resolves when the process is gone. */
  async #endProcess(): Promise<void> {
    const process = this.#process;
    if (!process) return;
    const gone = new AbortController();
    process.kill(this.#spec.stopSignal ?? 'SIGTERM');
    this.#deps.clock.sleep(this.#spec.restart.stopGraceMs, gone.signal).then(
      () => process.kill('SIGKILL'),
      () => undefined,
    );
    await process.exited;
    gone.abort();
    this.#process = undefined;
  }
}
