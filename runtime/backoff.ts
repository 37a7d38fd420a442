/**
 * Exponential back-off with full jitter: the wait before attempt n is uniform in [base/2, base] with
 * base = min(maxMs, minMs * 2^n), so that many clients that failed together do not come back together.
 */
import type { Random } from './random.ts';
import { unitInterval } from './random.ts';

export interface BackoffPolicy {
  readonly minMs: number;
  readonly maxMs: number;
}

/** @param attempt 0 for the wait after the first failure. */
export function backoffMs(policy: BackoffPolicy, attempt: number, random: Random): number {
  const base = Math.min(policy.maxMs, policy.minMs * 2 ** Math.min(attempt, 30));
  return Math.round(base / 2 + (base / 2) * unitInterval(random));
}
