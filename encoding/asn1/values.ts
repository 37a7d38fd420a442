/** Single values of DER that certificates are written with. Specification: X.690 sections 8.3, 8.6, 8.19 and 11; RFC 5280 section 4.1.2.5. */
import { FormatError } from '../format-error.ts';
import { TAG } from './reader.ts';
import { writeDer } from './writer.ts';

const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
/** UTCTime has two digits for the year, which end with 2049. */
const FIRST_GENERALIZED_YEAR = 2050;

function base128(arc: number): number[] {
  const digits = [arc & 0x7f];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift(0x80 | (rest & 0x7f));
  return digits;
}

/** @param text `2.5.29.17`; arcs below 2^31 */
export function writeOid(text: string): Buffer {
  const [root = 0, second = 0, ...rest] = text.split('.').map(Number);
  return writeDer(TAG.oid, Buffer.from([root * 40 + second, ...rest].flatMap(base128)));
}

/** @param magnitude big-endian, not negative */
export function writeUnsignedInteger(magnitude: Buffer): Buffer {
  const first = magnitude.findIndex((byte) => byte !== 0);
  const shortest = first === -1 ? Buffer.from([0]) : magnitude.subarray(first);
  const sign = (shortest[0] ?? 0) >= 0x80 ? [Buffer.from([0])] : [];
  return writeDer(TAG.integer, ...sign, shortest);
}

/** Of whole bytes. */
export function writeBitString(bytes: Uint8Array): Buffer {
  return writeDer(TAG.bitString, Buffer.from([0]), bytes);
}

/** Cut to whole seconds. @throws FormatError beyond the year 9999 */
export function writeTime(timeMs: number): Buffer {
  const time = new Date(timeMs);
  const year = time.getUTCFullYear();
  if (!(year >= 1950 && year <= 9999)) throw new FormatError('a time is out of the range that a certificate can have');
  const digits = time.toISOString().replace(/[-:T]|\.\d+/g, '');
  return year < FIRST_GENERALIZED_YEAR
    ? writeDer(UTC_TIME, Buffer.from(digits.slice(2)))
    : writeDer(GENERALIZED_TIME, Buffer.from(digits));
}
