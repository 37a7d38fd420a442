/** A token bucket for each name, of which a bounded number is known. */
import type { Clock } from './clock.ts';
import { TokenBucket, type TokenBucketOptions } from './token-bucket.ts';

const MAX_NAMES = 10_000;

export class TokenBuckets {
  readonly #options: TokenBucketOptions;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** Who came first is first. */
  readonly #buckets = new Map<string | undefined, TokenBucket>();

  /** @param options of each */
  constructor(options: TokenBucketOptions, clock: Pick<Clock, 'monotonicMs'>) {
    this.#options = options;
    this.#clock = clock;
  }

  /** @param name undefined is one as every other: of those that nobody knows. @returns whether it may happen now; then it counts */
  take(name: string | undefined): boolean {
    let bucket = this.#buckets.get(name);
    if (!bucket) {
      if (this.#buckets.size >= MAX_NAMES) this.#forget();
      bucket = new TokenBucket(this.#options, this.#clock);
      this.#buckets.set(name, bucket);
    }
    return bucket.take();
  }

  /** Those that hold nobody back; where each does, who came first: whoever has as many names is not held by a limit of names. */
  #forget(): void {
    for (const [name, bucket] of this.#buckets) if (bucket.isFull) this.#buckets.delete(name);
    if (this.#buckets.size < MAX_NAMES) return;
    const [oldest] = this.#buckets.keys();
    this.#buckets.delete(oldest);
  }
}
