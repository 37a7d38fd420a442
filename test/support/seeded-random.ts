/** Deterministic bytes for tests: SHA-256 in counter mode over a seed. Not for keys that protect anything. */
import { createHash } from 'node:crypto';
import type { Random } from '../../runtime/random.ts';

export function seededRandom(seed: string): Random {
  let counter = 0;
  let pool = Buffer.alloc(0);
  return {
    bytes(length) {
      while (pool.length < length) {
        pool = Buffer.concat([pool, createHash('sha256').update(`${seed}:${counter++}`).digest()]);
      }
      const out = Buffer.from(pool.subarray(0, length));
      pool = pool.subarray(length);
      return out;
    },
  };
}
