/**
 * Keeps the wall clock at the hypervisor's after boot set it: nothing else in an enclave does, and certificates, signatures to KMS and
 * logs are judged by it.
 *
 *   drift below what the source can tell     left alone
 *   up to the bound                          the wall clock is set
 *   beyond the bound                         refused: the clock is left alone, the enclave is degraded until they agree again
 *
 * It is set, not slewed. Nothing here waits by the wall clock: Node's and Go's timers run on CLOCK_MONOTONIC, which clock_settime(2) does
 * not touch, while adjtime(3) would slew that one too; TLS compares whole seconds with days, and KMS takes five minutes. A jump is
 * not believed, for a hypervisor's clock has no reason to jump: a wrong one would bring expired certificates to life, or end valid
 * ones. An operator who knows that the time is right starts the enclave anew.
 */
import { BackgroundTask } from '../../runtime/background-task.ts';
import { describeError, errorCode } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Service } from '../../runtime/service.ts';
import { type MetricSample, sample } from '../../wire/metrics.ts';
import { SupervisorError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import { type ClockReading, type ReadableClocks, readClocks } from './clock-reading.ts';

/** What is less is no drift: a document is dated when it is made, and QEMU's in whole seconds. */
const TOLERANCE_MS = { ptp: 100, nsm: 2_000 } as const;
/** So many checks in a row without a time, and nobody can say that the clock is right. */
export const MAX_UNREAD = 3;

export interface ClockKeeperDeps extends ReadableClocks {
  readonly platform: Pick<Platform, 'hypervisorTimeMs' | 'setWallClock'>;
  readonly logger: Logger;
  readonly checkMs: number;
  readonly maxJumpMs: number;
  /** The keeper itself broke: nobody would notice anything any more. */
  readonly onFailure: (error: unknown) => void;
}

type Outcome = 'kept' | 'corrected' | 'refused' | 'failed';

export class ClockKeeper implements Service {
  readonly #deps: ClockKeeperDeps;
  readonly #task: BackgroundTask;
  readonly #outcomes: Record<Outcome, number> = { kept: 0, corrected: 0, refused: 0, failed: 0 };
  #driftMs = 0;
  #hasRead = false;
  #unread = 0;
  #fault: SupervisorError | undefined;

  constructor(deps: ClockKeeperDeps) {
    this.#deps = deps;
    this.#task = new BackgroundTask((signal) => this.#run(signal), deps.onFailure);
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#task.start(signal);
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  /** @throws SupervisorError CLOCK_JUMPED, CLOCK_UNREAD while the clock cannot be relied on */
  require(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }

  get samples(): readonly MetricSample[] {
    return [
      sample('clock_drift_seconds', {}, this.#driftMs / 1000),
      ...Object.entries(this.#outcomes).map(([outcome, count]) => sample('clock_checks_total', { outcome }, count)),
    ];
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, checkMs } = this.#deps;
    for (;;) {
      await clock.sleep(checkMs, signal);
      this.#outcomes[await this.#check()] += 1;
    }
  }

  async #check(): Promise<Outcome> {
    let reading: ClockReading;
    try {
      reading = await readClocks(this.#deps);
    } catch (error) {
      return this.#noteUnread(error);
    }
    this.#noteRead(reading);
    if (Math.abs(reading.driftMs) > this.#deps.maxJumpMs) return this.#refuse(reading);
    try {
      const outcome = await this.#correct(reading);
      this.#noteKept(reading);
      return outcome;
    } catch (error) {
      return this.#noteUnread(error);
    }
  }

  /** The first one is told, so that somebody knows that it is done and by which clock. */
  #noteRead({ source, driftMs }: ClockReading): void {
    this.#driftMs = driftMs;
    if (this.#hasRead) return;
    this.#hasRead = true;
    this.#deps.logger.log('info', 'clock.compared', { driftMs: Math.round(driftMs), source });
  }

  async #correct({ source, driftMs, timeMs }: ClockReading): Promise<Outcome> {
    if (Math.abs(driftMs) <= TOLERANCE_MS[source]) return 'kept';
    await this.#deps.platform.setWallClock(timeMs);
    this.#deps.logger.log('warn', 'clock.corrected', { driftMs: Math.round(driftMs), source });
    return 'corrected';
  }

  #noteKept({ driftMs }: ClockReading): void {
    if (this.#fault !== undefined) this.#deps.logger.log('info', 'clock.kept-again', { driftMs: Math.round(driftMs) });
    this.#fault = undefined;
    this.#unread = 0;
  }

  /** Told when it begins; the health tells that it goes on. */
  #refuse({ source, driftMs }: ClockReading): Outcome {
    const { maxJumpMs, logger } = this.#deps;
    const fault = new SupervisorError('CLOCK_JUMPED', 'the hypervisor’s clock is not where it should be', {
      found: `${Math.round(driftMs)} ms from the enclave’s`,
      allowed: `${maxJumpMs} ms`,
    });
    if (this.#fault?.code !== fault.code)
      logger.log('error', 'clock.jumped', { code: fault.code, driftMs: Math.round(driftMs), source });
    this.#fault = fault;
    return 'refused';
  }

  #noteUnread(cause: unknown): Outcome {
    this.#unread += 1;
    const { logger } = this.#deps;
    if (this.#unread === 1)
      logger.log('warn', 'clock.unread', { code: errorCode(cause) ?? null, reason: describeError(cause) });
    if (this.#unread >= MAX_UNREAD)
      this.#fault ??= new SupervisorError('CLOCK_UNREAD', 'the clock was not compared with the hypervisor’s', {
        cause,
      });
    return 'failed';
  }
}
