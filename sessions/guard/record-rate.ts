/** Keeps one kind of record to so many in a second, and counts what it leaves out. */
import type { Clock } from '../../runtime/clock.ts';

const WINDOW_MS = 1_000;

export class RecordRate {
  readonly #clock: Clock;
  readonly #maxPerSecond: number;
  #startedMs = Number.NEGATIVE_INFINITY;
  #count = 0;
  #leftOut = 0;

  constructor(clock: Clock, maxPerSecond: number) {
    this.#clock = clock;
    this.#maxPerSecond = maxPerSecond;
  }

  /** @returns how many were left out since the last record; undefined where this one is */
  next(): number | undefined {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#startedMs >= WINDOW_MS) {
      this.#startedMs = nowMs;
      this.#count = 0;
    }
    if (this.#count >= this.#maxPerSecond) {
      this.#leftOut += 1;
      return undefined;
    }
    this.#count += 1;
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    return leftOut;
  }
}
