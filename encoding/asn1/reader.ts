/**
 * Strict, bounded ASN.1 reader. `der` for certificates; `ber` for recipient envelopes, where AWS uses indefinite lengths
 * on constructed values. All else of BER's freedom stays refused: long-form lengths that could be shorter, tags above 30.
 * Specification: X.690 sections 8.1 (BER) and 10.1 (DER).
 */
import { FormatError } from '../format-error.ts';

type Asn1Rules = 'ber' | 'der';

export interface Asn1Node {
  /** The identifier octet: class, constructed bit and tag number. */
  readonly tag: number;
  /** Offset of the identifier octet in what was parsed; for messages. */
  readonly offset: number;
  /** The whole encoding, header included. A view of the input. */
  readonly raw: Buffer;
  /** Contents octets; with an indefinite length, without the end mark. A view of the input. */
  readonly content: Buffer;
  /** Members of a constructed value; empty for a primitive one. */
  readonly children: readonly Asn1Node[];
}

/** Identifier octets of X.680 types that the formats here use. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
  context0: 0x80,
  contextConstructed0: 0xa0,
  contextConstructed1: 0xa1,
  contextConstructed2: 0xa2,
  contextConstructed3: 0xa3,
} as const;

const CONSTRUCTED = 0x20;
const HIGH_TAG_NUMBER = 0x1f;
const INDEFINITE = 0x80;
/** The deepest value of these formats, the hash inside the mask generation of OAEP, lies 10 below the envelope. */
const MAX_DEPTH = 10;

interface Cursor {
  readonly bytes: Buffer;
  readonly rules: Asn1Rules;
  offset: number;
}

function byteAt(cursor: Cursor, end: number): number {
  const byte = cursor.offset < end ? cursor.bytes[cursor.offset] : undefined;
  if (byte === undefined) throw new FormatError('ASN.1 ends early', cursor.offset);
  cursor.offset += 1;
  return byte;
}

/** A length in its shortest form, or undefined for the indefinite form. */
function readLength(cursor: Cursor, end: number): number | undefined {
  const start = cursor.offset;
  const first = byteAt(cursor, end);
  if (first < 0x80) return first;
  if (first === INDEFINITE) return undefined;
  const size = first & 0x7f;
  if (size > 3) throw new FormatError('ASN.1 length is too large', start);
  let length = 0;
  for (let i = 0; i < size; i++) length = length * 256 + byteAt(cursor, end);
  const least = size === 1 ? 0x80 : 256 ** (size - 1);
  if (length < least) throw new FormatError('ASN.1 length is not in its shortest form', start);
  return length;
}

function readChildren(cursor: Cursor, end: number, depth: number): Asn1Node[] {
  const children: Asn1Node[] = [];
  while (cursor.offset < end) children.push(readNode(cursor, end, depth + 1));
  return children;
}

function atEndMark(cursor: Cursor, end: number): boolean {
  return cursor.offset + 1 < end && cursor.bytes[cursor.offset] === 0 && cursor.bytes[cursor.offset + 1] === 0;
}

function readIndefinite(cursor: Cursor, tag: number, offset: number, end: number, depth: number): Asn1Node {
  if (cursor.rules === 'der' || (tag & CONSTRUCTED) === 0) {
    throw new FormatError('ASN.1 indefinite length is not allowed', offset);
  }
  const start = cursor.offset;
  const children: Asn1Node[] = [];
  while (!atEndMark(cursor, end)) children.push(readNode(cursor, end, depth + 1));
  const content = cursor.bytes.subarray(start, cursor.offset);
  cursor.offset += 2;
  return { tag, offset, raw: cursor.bytes.subarray(offset, cursor.offset), content, children };
}

function readNode(cursor: Cursor, end: number, depth: number): Asn1Node {
  const offset = cursor.offset;
  if (depth > MAX_DEPTH) throw new FormatError('ASN.1 is nested too deep', offset);
  const tag = byteAt(cursor, end);
  if (tag === 0) throw new FormatError('ASN.1 end mark is out of place', offset);
  if ((tag & HIGH_TAG_NUMBER) === HIGH_TAG_NUMBER) throw new FormatError('ASN.1 tag is above 30', offset);
  const length = readLength(cursor, end);
  if (length === undefined) return readIndefinite(cursor, tag, offset, end, depth);
  const start = cursor.offset;
  const contentEnd = start + length;
  if (contentEnd > end) throw new FormatError('ASN.1 ends early', offset);
  const children = (tag & CONSTRUCTED) === 0 ? [] : readChildren(cursor, contentEnd, depth);
  cursor.offset = contentEnd;
  const raw = cursor.bytes.subarray(offset, contentEnd);
  return { tag, offset, raw, content: cursor.bytes.subarray(start, contentEnd), children };
}

/**
 * One value that fills `bytes` exactly. The caller bounds the size of the input.
 * @throws FormatError
 */
export function readAsn1(bytes: Buffer, rules: Asn1Rules): Asn1Node {
  const cursor: Cursor = { bytes, rules, offset: 0 };
  const node = readNode(cursor, bytes.length, 0);
  if (cursor.offset !== bytes.length) throw new FormatError('ASN.1 has trailing bytes', cursor.offset);
  return node;
}
