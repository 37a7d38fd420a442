/** Randomness as a dependency: the system's generator in production, a seeded one in tests. */
import { randomBytes } from 'node:crypto';

export interface Random {
  /** `length` fresh bytes in a Buffer that the caller owns (and zeroes when they are secret). */
  bytes(length: number): Buffer;
}

export const systemRandom: Random = { bytes: (length) => randomBytes(length) };

/** A number in [0, 1) with 32 bits of resolution; for jitter, never for keys. */
export function unitInterval(random: Random): number {
  return random.bytes(4).readUInt32BE(0) / 0x1_0000_0000;
}
