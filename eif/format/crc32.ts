/**
 * CRC-32/ISO-HDLC (zlib's crc32) of the image. The header precedes the data in the checksum but is known last, so the
 * checksum of the data is made while it streams by, and joined to that of the header afterwards.
 * Specification: nitro-formats 3.1; the joining is polynomial arithmetic modulo P over GF(2).
 */
import { crc32 } from 'node:zlib';

export { crc32 };

/** P, bits reflected: x^0 is the highest bit. */
const POLYNOMIAL = 0xedb8_8320;
const ONE = 0x8000_0000;
/** x^8, one byte. */
const ONE_BYTE = 0x0080_0000;

/** a·b mod P. */
function multiply(a: number, b: number): number {
  let product = 0;
  let factor = b;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= factor;
    factor = (factor & 1) === 0 ? factor >>> 1 : (factor >>> 1) ^ POLYNOMIAL;
  }
  return product >>> 0;
}

/** x^(8·bytes) mod P, by repeated squaring. */
function shiftBy(bytes: number): number {
  let power = ONE;
  let square = ONE_BYTE;
  for (let rest = bytes; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = multiply(power, square);
    square = multiply(square, square);
  }
  return power;
}

/** The CRC of A ‖ B from the CRCs of A and B and the length of B in bytes (up to 2^53-1). */
export function joinCrc32(first: number, second: number, secondBytes: number): number {
  return (multiply(shiftBy(secondBytes), first) ^ second) >>> 0;
}
