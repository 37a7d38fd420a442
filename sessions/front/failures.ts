/**
 * Failed handshakes by address, a second at a time: a handshake costs a signature, so that who fails without end would keep a core
 * busy. Over the limit the connections of that address are closed unheard until the second is over.
 */
import type { Clock } from '../../runtime/clock.ts';

const WINDOW_MS = 1_000;
/** Of which failures are counted in one second; there is no limit that more of them could get round. */
const MAX_ADDRESSES = 10_000;

export class Failures {
  readonly #clock: Clock;
  readonly #maxPerSecond: number;
  readonly #counts = new Map<string, number>();
  #startedMs: number;

  constructor(clock: Clock, maxPerSecond: number) {
    this.#clock = clock;
    this.#maxPerSecond = maxPerSecond;
    this.#startedMs = clock.monotonicMs();
  }

  isOver(address: string): boolean {
    this.#forgetOld();
    return (this.#counts.get(address) ?? 0) >= this.#maxPerSecond;
  }

  /** @param failures that it counts for. @returns whether the limit is reached with this one */
  note(address: string, failures = 1): boolean {
    this.#forgetOld();
    const before = this.#counts.get(address) ?? 0;
    if (before === 0 && this.#counts.size >= MAX_ADDRESSES) return false;
    this.#counts.set(address, before + failures);
    return before < this.#maxPerSecond && before + failures >= this.#maxPerSecond;
  }

  #forgetOld(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#startedMs < WINDOW_MS) return;
    this.#startedMs = nowMs;
    this.#counts.clear();
  }
}
