/** Counts unexpected exits in a sliding window; open means: do not start again. */
import type { Clock } from '../../runtime/clock.ts';

export class CrashLoopBreaker {
  readonly #clock: Clock;
  readonly #maxExits: number;
  readonly #windowMs: number;
  #exitsMs: number[] = [];

  constructor(clock: Clock, limits: { readonly maxExits: number; readonly windowMs: number }) {
    this.#clock = clock;
    this.#maxExits = limits.maxExits;
    this.#windowMs = limits.windowMs;
  }

  /** Records an exit; returns how many lie in the window, this one included. */
  recordExit(): number {
    const nowMs = this.#clock.monotonicMs();
    this.#exitsMs = [...this.#exitsMs.filter((ms) => nowMs - ms < this.#windowMs), nowMs];
    return this.#exitsMs.length;
  }

  get isOpen(): boolean {
    return this.#exitsMs.length >= this.#maxExits;
  }
}
