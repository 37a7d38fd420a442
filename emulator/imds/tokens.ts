/** Session tokens of IMDSv2 (EC2 user guide, "Use IMDSv2"): opaque, valid for the seconds that the caller asked for. */
import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';

/** Six hours, the longest that EC2 gives. */
export const MAX_TOKEN_TTL_SECONDS = 21_600;
const TOKEN_BYTES = 42;
/** Above this the oldest tokens are forgotten, so that a caller in a loop cannot fill the memory. */
const MAX_TOKENS = 10_000;

export class SessionTokens {
  readonly #clock: Clock;
  readonly #random: Random;
  /** Expiry in monotonic milliseconds by token, oldest first. */
  readonly #expiryMs = new Map<string, number>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  issue(ttlSeconds: number): string {
    const token = this.#random.bytes(TOKEN_BYTES).toString('base64url');
    this.#expiryMs.set(token, this.#clock.monotonicMs() + ttlSeconds * 1000);
    const [oldest] = this.#expiryMs.keys();
    if (this.#expiryMs.size > MAX_TOKENS && oldest !== undefined) this.#expiryMs.delete(oldest);
    return token;
  }

  isValid(token: string): boolean {
    const expiryMs = this.#expiryMs.get(token);
    return expiryMs !== undefined && this.#clock.monotonicMs() < expiryMs;
  }
}
