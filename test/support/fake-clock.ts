/**
 * A clock that moves only when told to: sleeps end in order of their deadlines, at once. As in the system's, wall time and
 * monotonic time have nothing in common but their pace, so that code that mixes them up fails.
 */
import type { Clock } from '../../runtime/clock.ts';

interface Sleeper {
  readonly deadlineMs: number;
  readonly wake: () => void;
}

/** Where monotonic time begins: an uptime that no wall time is near to. */
const UPTIME_MS = 41_733;

export class FakeClock implements Clock {
  #wallMs: number;
  #monotonicMs = UPTIME_MS;
  #sleepers: Sleeper[] = [];
  /** Every duration that was asked of sleep(), in order. */
  readonly sleptMs: number[] = [];
  #onSleep: (() => void) | undefined;

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#wallMs = startMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** Sets the wall clock, forwards or back, as an administrator or a hypervisor would; who sleeps is not woken. */
  stepWall(byMs: number): void {
    this.#wallMs += byMs;
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
        deadlineMs: this.#monotonicMs + durationMs,
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
    this.#wallMs += durationMs;
    this.#monotonicMs += durationMs;
    const isDue = ({ deadlineMs }: Sleeper) => deadlineMs <= this.#monotonicMs;
    const due = this.#sleepers.filter(isDue).sort((a, b) => a.deadlineMs - b.deadlineMs);
    this.#sleepers = this.#sleepers.filter((sleeper) => !isDue(sleeper));
    for (const sleeper of due) sleeper.wake();
  }
}
