/** How often one address, and all together, may ask for a document over HTTP: strangers share what the enclave answers in a second. */
import type { Clock } from '../../runtime/clock.ts';
import { TokenBucket } from '../../runtime/token-bucket.ts';
import { addressKey } from '../../wire/networks.ts';

export interface Rates {
  readonly maxPerSecond: number;
  /** Of one IPv4 address or IPv6 /64. */
  readonly maxPerSecondPerAddress: number;
}

/** A seldom asker has a full bucket and needs none; more addresses than this at once have one in common. */
export const MAX_ADDRESSES = 10_000;

export class RequestRates {
  readonly #rates: Rates;
  readonly #clock: Clock;
  readonly #all: TokenBucket;
  readonly #others: TokenBucket;
  readonly #byAddress = new Map<string, TokenBucket>();

  constructor(rates: Rates, clock: Clock) {
    this.#rates = rates;
    this.#clock = clock;
    this.#all = bucketOf(rates.maxPerSecond, clock);
    this.#others = bucketOf(rates.maxPerSecondPerAddress, clock);
  }

  /** Whether this address may ask now; then it counts. One that is over its own rate takes nothing of the others'. */
  take(address: string): boolean {
    return this.#bucket(addressKey(address) ?? '').take() && this.#all.take();
  }

  #bucket(key: string): TokenBucket {
    const known = this.#byAddress.get(key);
    if (known !== undefined) return known;
    if (this.#byAddress.size >= MAX_ADDRESSES) this.#forgetIdle();
    if (this.#byAddress.size >= MAX_ADDRESSES) return this.#others;
    const bucket = bucketOf(this.#rates.maxPerSecondPerAddress, this.#clock);
    this.#byAddress.set(key, bucket);
    return bucket;
  }

  #forgetIdle(): void {
    for (const [key, bucket] of this.#byAddress) if (bucket.isFull) this.#byAddress.delete(key);
  }
}

/** Two seconds' worth at once, for a page that asks for several enclaves. */
function bucketOf(perSecond: number, clock: Clock): TokenBucket {
  return new TokenBucket({ burst: 2 * perSecond, perSecond }, clock);
}
