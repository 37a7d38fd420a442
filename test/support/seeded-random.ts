/** Deterministic bytes for tests: a stream cipher's key stream under a hash of the seed. Not for keys that protect anything. */
import { createCipheriv, createHash } from 'node:crypto';
import type { Random } from '../../runtime/random.ts';

export function seededRandom(seed: string): Random {
  const stream = createCipheriv('aes-256-ctr', createHash('sha256').update(seed).digest(), Buffer.alloc(16));
  return { bytes: (length) => stream.update(Buffer.alloc(length)) };
}
