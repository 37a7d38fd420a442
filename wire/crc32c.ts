/** CRC32c, Castagnoli's polynomial, bit by bit: for a few bytes. Specification: RFC 9260 appendix A, RFC 3720 B.4 (examples). */

/** The polynomial with its lowest power in the highest bit. */
const POLYNOMIAL = 0x82f6_3b78;

/** @returns 32 bits, unsigned */
export function crc32c(bytes: Uint8Array): number {
  let remainder = 0xffff_ffff;
  for (const byte of bytes) {
    remainder ^= byte;
    for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? POLYNOMIAL : 0);
  }
  return ~remainder >>> 0;
}
