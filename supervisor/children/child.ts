/**
 * Keeps one child process alive: launch, readiness probe, restart with back-off, crash-loop breaker, ordered stop.
 * An exit that nobody asked for is a failure whatever its code (acra-server exits 0 on some configuration errors).
 *
 *   launched ──probe──▶ running ──exit──▶ down ──back-off, or the breaker's long wait──▶ launched …
 *                                          └──an exit that must not be answered by a restart──▶ failed, for good
 */
import { backoffMs } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import { CodedError, describeError } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { Service } from '../../runtime/service.ts';
import type { LaunchFailure } from '../../system/processes/launch-plan.ts';
import { SupervisorError } from '../errors.ts';
import { CrashLoopBreaker } from './breaker.ts';

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  /** We killed it, because it no longer answered. */
  readonly wasUnresponsive?: boolean;
  /** It never became the program: what the launcher could not do. */
  readonly notLaunched?: LaunchFailure;
}

/** One running process. */
export interface ProcessHandle {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

export interface ExitVerdict {
  readonly code: string;
  readonly meaning: string;
  readonly restart: boolean;
  readonly alert: boolean;
}

export interface ChildSpec {
  readonly name: string;
  readonly launch: () => ProcessHandle;
  /** Resolves when the process works; rejects when the signal aborts. */
  readonly probe: (signal: AbortSignal) => Promise<void>;
  readonly judgeExit: (exit: Exit) => ExitVerdict;
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

/**
 * An exit before readiness. Whether another start follows is decided by what the exit meant, as with any other. A program that ran
 * is told by the code of its end, whose advice says what to mend; one that could not be launched by CHILD_LAUNCH_FAILED.
 */
class EndedBeforeReady extends CodedError {
  readonly verdict: ExitVerdict;
  readonly exit: Exit;

  constructor(name: string, verdict: ExitVerdict, exit: Exit) {
    super(
      exit.notLaunched ? 'CHILD_LAUNCH_FAILED' : verdict.code,
      `${name} ended before it was ready: ${verdict.meaning}`,
      {
        found: `${verdict.code} (exit code ${exit.code}, signal ${exit.signal})`,
      },
    );
    this.verdict = verdict;
    this.exit = exit;
  }
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
    await this.#endProcess();
    await this.#watching;
  }

  /** Ends a process that no longer answers; the watcher restarts it like any other that ended. */
  killUnresponsive(): void {
    this.#unresponsive = this.#process;
    this.#process?.kill('SIGKILL');
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
    throw new SupervisorError('CHILD_NOT_READY', `${this.#spec.name} is not ready`, { allowed: `${timeoutMs} ms` });
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
    const { name } = this.#spec;
    const { logger } = this.#deps;
    const exits = this.#breaker.recordExit();
    logger.log(verdict.alert ? 'fatal' : 'error', 'child.exited', {
      child: name,
      code: verdict.code,
      reason: verdict.meaning,
      exitCode: exit.code,
      signal: exit.signal,
      exits,
    });
    if (!verdict.restart) return this.#giveUp(verdict.code, verdict.meaning);
    await this.#waitForRestart(verdict, exits);
    this.#restarts += 1;
    try {
      return await this.#launchAndProbe(this.#stopping.signal);
    } catch (error) {
      this.#stopping.signal.throwIfAborted();
      if (error instanceof EndedBeforeReady) return this.#restartAfter(error.verdict, error.exit);
      const failed = { code: 'CHILD_LAUNCH_FAILED', meaning: describeError(error), restart: true, alert: false };
      return this.#restartAfter(failed, { code: null, signal: null });
    }
  }

  async #waitForRestart(verdict: ExitVerdict, exits: number): Promise<void> {
    const { name, restart } = this.#spec;
    const { logger, clock, random } = this.#deps;
    if (!this.#breaker.isOpen) {
      this.#move({ kind: 'down', code: verdict.code, reason: verdict.meaning });
      await clock.sleep(backoffMs(restart, exits - 1, random), this.#stopping.signal);
      return;
    }
    const retryMs = restart.breakerRetryMs;
    const reason = `${name} ends again and again (last ${verdict.code}: ${verdict.meaning}); next try in ${retryMs} ms`;
    logger.log('fatal', 'child.breaker-open', { child: name, code: verdict.code, exits, retryMs });
    this.#move({ kind: 'down', code: 'CHILD_BREAKER_OPEN', reason });
    await clock.sleep(retryMs, this.#stopping.signal);
  }

  #giveUp(code: string, reason: string): undefined {
    this.#failure = new SupervisorError('CHILD_NOT_RESTARTED', `${this.#spec.name} is not started again: ${reason}`, {
      found: code,
    });
    this.#deps.logger.log('fatal', 'child.given-up', { child: this.#spec.name, code, reason });
    this.#move({ kind: 'failed', code, reason });
  }

  #move(state: ChildState): void {
    this.#state = state;
    this.#deps.onState(state);
  }

  /** SIGTERM, the grace, then SIGKILL; resolves when the process is gone. */
  async #endProcess(): Promise<void> {
    const process = this.#process;
    if (!process) return;
    const gone = new AbortController();
    process.kill('SIGTERM');
    this.#deps.clock.sleep(this.#spec.restart.stopGraceMs, gone.signal).then(
      () => process.kill('SIGKILL'),
      () => undefined,
    );
    await process.exited;
    gone.abort();
    this.#process = undefined;
  }
}
