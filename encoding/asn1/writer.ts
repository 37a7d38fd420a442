/**
 * Writes ASN.1: DER throughout, and the one freedom of BER that AWS uses, the indefinite length of a constructed value.
 * Specification: X.690 sections 8.1.3 (lengths) and 10.1 (DER).
 */
import { FormatError } from '../format-error.ts';

const INDEFINITE_LENGTH = 0x80;
const END_OF_CONTENTS = Buffer.from([0, 0]);
/** The reader takes lengths of three bytes. */
const MAX_CONTENT_BYTES = 0xff_ffff;

function encodeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  if (length > MAX_CONTENT_BYTES) throw new FormatError('ASN.1 content is too long');
  const size = length <= 0xff ? 1 : length <= 0xffff ? 2 : 3;
  const bytes = Buffer.alloc(1 + size);
  bytes[0] = 0x80 | size;
  bytes.writeUIntBE(length, 1, size);
  return bytes;
}

/**
 * A value with the shortest definite length.
 * @param tag the identifier octet
 * @throws FormatError above 16 MiB
 */
export function writeDer(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), encodeLength(content.length), content]);
}

/** A constructed value of BER with an indefinite length. */
export function writeIndefinite(tag: number, ...members: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from([tag, INDEFINITE_LENGTH]), ...members, END_OF_CONTENTS]);
}
