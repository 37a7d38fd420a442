/**
 * Deadlines of things that come one after the other, and nearly always end in time: one timer goes on from each to the next, where Deadline makes a timer
 * and two controllers for each. Its owner is called when one passes; it stops with the signal.
 */
import type { Clock } from './clock.ts';

const NEVER = Number.POSITIVE_INFINITY;

export class RecurringDeadline {
  readonly #clock: Clock;
  readonly #onPassed: () => void;
  readonly #signal: AbortSignal;
  #endsMs = NEVER;
  #wakesMs = NEVER;
  /** Of the timer that there is. */
  #sleeping: AbortController | undefined;
  #hasPassed = false;

  constructor(clock: Clock, onPassed: () => void, signal: AbortSignal) {
    this.#clock = clock;
    this.#onPassed = onPassed;
    this.#signal = signal;
  }

  /** Whether the last one did. */
  get hasPassed(): boolean {
    return this.#hasPassed;
  }

  /** The one before has ended, or ends now. */
  begin(durationMs: number): void {
    this.#hasPassed = false;
    this.#endsMs = this.#clock.monotonicMs() + durationMs;
    if (this.#endsMs < this.#wakesMs) this.#sleep();
  }

  end(): void {
    this.#endsMs = NEVER;
  }

  #sleep(): void {
    this.#sleeping?.abort();
    if (this.#signal.aborted) return;
    const sleeping = new AbortController();
    this.#sleeping = sleeping;
    this.#wakesMs = this.#endsMs;
    const stop = () => sleeping.abort();
    this.#signal.addEventListener('abort', stop, { once: true });
    this.#clock
      .sleep(this.#endsMs - this.#clock.monotonicMs(), sleeping.signal)
      .then(
        () => this.#woke(),
        () => undefined,
      )
      .finally(() => this.#signal.removeEventListener('abort', stop));
  }

  /** For the one of then, or a later one, or none. */
  #woke(): void {
    this.#wakesMs = NEVER;
    if (this.#endsMs === NEVER) return;
    if (this.#clock.monotonicMs() < this.#endsMs) {
      this.#sleep();
      return;
    }
    this.#endsMs = NEVER;
    this.#hasPassed = true;
    this.#onPassed();
  }
}
