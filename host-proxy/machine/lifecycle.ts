/** Keeps one enclave running until it is told to stop: starts it, and starts it again as the policy says. */
import type { EnclaveRun } from '../../config/enclave-run.ts';
import type { Clock } from '../../runtime/clock.ts';
import { describeError, errorCode } from '../../runtime/errors.ts';
import type { Random } from '../../runtime/random.ts';
import type { LineBuffer } from '../../system/lines/line-buffer.ts';
import { reportedError } from '../../wire/errors.ts';
import type { EnclaveDriver } from './driver.ts';
import type { LifecycleHost } from './host.ts';
import { RestartPolicy } from './restart-policy.ts';
import { EnclaveSession } from './session.ts';
import type { LastEnd, LifecycleStatus, Stage } from './status.ts';

export interface LifecycleDeps {
  readonly run: EnclaveRun;
  readonly driver: EnclaveDriver;
  readonly host: LifecycleHost;
  readonly clock: Clock;
  readonly random: Random;
  readonly console: LineBuffer;
  /** Told after each change of `status`. */
  readonly onChange: () => void;
}

export class EnclaveLifecycle {
  readonly #deps: LifecycleDeps;
  readonly #policy: RestartPolicy;
  #status: LifecycleStatus;

  constructor(deps: LifecycleDeps) {
    this.#deps = deps;
    this.#policy = new RestartPolicy(deps.run.restart, deps.clock, deps.random);
    this.#status = { stage: 'idle', sinceMs: deps.clock.nowMs(), id: null, restarts: 0, lastEnd: null };
  }

  get status(): LifecycleStatus {
    return this.#status;
  }

  /**
   * Resolves when the enclave has ended in order and stays so: because `stop` aborted, or by itself.
   * @throws EnclaveError when it is not started again; nothing of it is left then either.
   */
  async run(stop: AbortSignal): Promise<void> {
    try {
      while (!stop.aborted) {
        const failure = await this.#runOnce(stop);
        if (stop.aborted && failure === undefined) return;
        const waitMs = this.#policy.afterEnd(failure);
        if (waitMs === undefined || stop.aborted) return;
        await this.#wait(waitMs, stop);
      }
    } finally {
      this.#change('ended', { id: null });
    }
  }

  /** @returns the failure, or undefined when the enclave ended in order. */
  async #runOnce(stop: AbortSignal): Promise<unknown> {
    const { console } = this.#deps;
    const session = new EnclaveSession({
      ...this.#deps,
      followConsole: (onLine) => console.follow(onLine),
      onStage: (stage, id) => this.#change(stage, { id }),
    });
    try {
      this.#noteEnd(null, await session.run(stop), null);
      return undefined;
    } catch (error) {
      const reported = reportedError(error);
      const said = reported ? { code: reported.code, message: reported.message } : null;
      this.#noteEnd(errorCode(error) ?? 'unexpected', describeError(error), said);
      return error;
    }
  }

  async #wait(waitMs: number, stop: AbortSignal): Promise<void> {
    const { clock, host } = this.#deps;
    host.logger.log('warn', 'enclave.restarting', { waitMs, restarts: this.#status.restarts + 1 });
    this.#change('waiting', { id: null });
    try {
      await clock.sleep(waitMs, stop);
    } catch (error) {
      if (stop.aborted) return;
      throw error;
    }
    this.#change('starting', { restarts: this.#status.restarts + 1 });
  }

  #noteEnd(code: string | null, reason: string, reported: LastEnd['reported']): void {
    const { host, clock } = this.#deps;
    host.logger.log(code === null ? 'info' : 'error', 'enclave.ended', {
      code,
      reason,
      ...(reported && { reportedCode: reported.code }),
    });
    const lastEnd: LastEnd = { atMs: clock.nowMs(), code, reason, reported };
    this.#status = { ...this.#status, lastEnd };
  }

  #change(stage: Stage, changes: Partial<LifecycleStatus>): void {
    const { host, clock, onChange } = this.#deps;
    const isNew = stage !== this.#status.stage;
    const sinceMs = isNew ? clock.nowMs() : this.#status.sinceMs;
    this.#status = { ...this.#status, ...changes, stage, sinceMs };
    if (isNew) host.logger.log('info', 'enclave.stage', { stage, id: this.#status.id });
    onChange();
  }
}
