/** A clock that moves only when told to: sleeps end in order of their deadlines, at once. */
import type { Clock } from '../../runtime/clock.ts';

interface Sleeper {
  readonly deadlineMs: number;
  readonly wake: () => void;
}

export class FakeClock implements Clock {
  #nowMs: number;
  #sleepers: Sleeper[] = [];
  /** Every duration that was asked of sleep(), in order. */
  readonly sleptMs: number[] = [];
  #onSleep: (() => void) | undefined;

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  get sleeping(): number {
    return this.#sleepers.length;
  }

  sleep(durationMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      this.sleptMs.push(durationMs);
      const onAbort = () => {
        this.#sleepers = this.#sleepers.filter((s) => s !== sleeper);
        reject(signal.reason);
      };
      const sleeper: Sleeper = {
        deadlineMs: this.#nowMs + durationMs,
        wake: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#sleepers.push(sleeper);
      this.#onSleep?.();
    });
  }

  /** Resolves as soon as somebody sleeps. */
  async untilSleeping(): Promise<void> {
    if (this.#sleepers.length > 0) return;
    await new Promise<void>((resolve) => {
      this.#onSleep = () => {
        this.#onSleep = undefined;
        resolve();
      };
    });
  }

  /** Moves time on and wakes whoever is due, earliest first. */
  advance(durationMs: number): void {
    this.#nowMs += durationMs;
    const due = this.#sleepers.filter((s) => s.deadlineMs <= this.#nowMs).sort((a, b) => a.deadlineMs - b.deadlineMs);
    this.#sleepers = this.#sleepers.filter((s) => s.deadlineMs > this.#nowMs);
    for (const sleeper of due) sleeper.wake();
  }
}
