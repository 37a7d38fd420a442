/** How often something may happen: so many at once, and so many a second in the long run. By the monotonic clock, which nobody sets. */
import type { Clock } from './clock.ts';

export interface TokenBucketOptions {
  /** Of a bucket that has not been used for a while. */
  readonly burst: number;
  readonly perSecond: number;
}

export class TokenBucket {
  readonly #options: TokenBucketOptions;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #tokens: number;
  #filledMs: number;

  constructor(options: TokenBucketOptions, clock: Pick<Clock, 'monotonicMs'>) {
    this.#options = options;
    this.#clock = clock;
    this.#tokens = options.burst;
    this.#filledMs = clock.monotonicMs();
  }

  /** Whether it may happen now; then it counts. @param weight at most the burst: what weighs more never may */
  take(weight = 1): boolean {
    this.#fill();
    if (this.#tokens < weight) return false;
    this.#tokens -= weight;
    return true;
  }

  /** As after a long time in which nothing happened. */
  get isFull(): boolean {
    this.#fill();
    return this.#tokens === this.#options.burst;
  }

  #fill(): void {
    const { burst, perSecond } = this.#options;
    const nowMs = this.#clock.monotonicMs();
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#filledMs) * perSecond) / 1000);
    this.#filledMs = nowMs;
  }
}
