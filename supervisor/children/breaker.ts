/**
 * Counts ends that nobody asked for. Too many within a window open the breaker: from then on one try at a time, with a long wait
 * between, until a process has lived as long as the window. Whoever may connect can make acra-server end; they must not be able
 * to switch it off for good.
 *
 *   closed ──maxExits ends within windowMs──▶ open ──a process that lived for windowMs──▶ closed
 */
import type { Clock } from '../../runtime/clock.ts';

export class CrashLoopBreaker {
  readonly #clock: Clock;
  readonly #maxExits: number;
  readonly #windowMs: number;
  #exitsMs: number[] = [];
  #startedMs: number;
  #isOpen = false;

  constructor(clock: Clock, limits: { readonly maxExits: number; readonly windowMs: number }) {
    this.#clock = clock;
    this.#maxExits = limits.maxExits;
    this.#windowMs = limits.windowMs;
    this.#startedMs = clock.monotonicMs();
  }

  recordStart(): void {
    this.#startedMs = this.#clock.monotonicMs();
  }

  /** Records an end; returns how many lie in the window, this one included. */
  recordExit(): number {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#startedMs >= this.#windowMs) this.#isOpen = false;
    this.#exitsMs = [...this.#exitsMs.filter((ms) => nowMs - ms < this.#windowMs), nowMs];
    this.#isOpen ||= this.#exitsMs.length >= this.#maxExits;
    return this.#exitsMs.length;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }
}
