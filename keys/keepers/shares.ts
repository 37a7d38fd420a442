/**
 * Shamir's secret sharing over GF(2⁸), by shamir-secret-sharing: any k shares give the secret, and k-1 of them nothing at all, by no amount
 * of computing. The library tells no wrong share: whoever combines has compared the hash of each before.
 * What it copies is zeroed as far as it can be reached: its polynomials, one a byte of the secret, are left to the garbage collector.
 */
import { createHash } from 'node:crypto';
import { combine, split } from 'shamir-secret-sharing';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';

export interface SharePlan {
  /** So many give the secret. */
  readonly k: number;
  /** So many are made. */
  readonly n: number;
}

/** @returns in no order that says anything; the caller disposes them */
export async function splitSecret(secret: SecretBuffer, { k, n }: SharePlan): Promise<SecretBuffer[]> {
  const copy = secret.use((bytes) => Uint8Array.from(bytes));
  try {
    return (await split(copy, n, k)).map(take);
  } finally {
    copy.fill(0);
  }
}

/** @param shares at least k of one secret; they stay the caller's. Fewer, or others, give something else. @throws errors of the library: one share twice */
export async function combineShares(shares: readonly SecretBuffer[]): Promise<SecretBuffer> {
  const copies = shares.map((share) => share.use((bytes) => Uint8Array.from(bytes)));
  try {
    return take(await combine(copies));
  } finally {
    for (const copy of copies) copy.fill(0);
  }
}

/** SHA-256, lower-case hex. A share has 256 random bits beside its place, which nobody guesses from it. */
export function shareDigest(share: SecretBuffer): string {
  return share.use((bytes) => createHash('sha256').update(bytes).digest('hex'));
}

function take(bytes: Uint8Array): SecretBuffer {
  return SecretBuffer.take(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}
