/**
 * Strict CBOR reader for bytes that come from outside. It knows the subset that the security module and attestation
 * documents use, and of each value accepts one encoding only, so that nobody can hide a second meaning:
 * definite lengths, shortest integers, UTF-8 text, unique map keys, no tags, floats or undefined, no trailing bytes.
 * Specification: RFC 8949 section 3 and 4.2.1 (without key order, which AWS does not keep); nitro-formats 3.6.
 */
import { FormatError } from '../format-error.ts';

type CborKey = number | string;
/** Byte strings are views of the input. Integers lie within JavaScript's safe range. */
export type CborValue = number | string | boolean | null | Buffer | readonly CborValue[] | CborMap;
export type CborMap = ReadonlyMap<CborKey, CborValue>;

const MAJOR_UNSIGNED = 0;
const MAJOR_NEGATIVE = 1;
const MAJOR_BYTES = 2;
const MAJOR_TEXT = 3;
const MAJOR_ARRAY = 4;
const MAJOR_MAP = 5;
const MAJOR_TAG = 6;

const SIMPLE_FALSE = 20;
const SIMPLE_TRUE = 21;
const SIMPLE_NULL = 22;

/** Documents nest 2 deep, requests and signature sections 3. */
const MAX_DEPTH = 4;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

interface Cursor {
  readonly bytes: Buffer;
  offset: number;
}

function take(cursor: Cursor, length: number): Buffer {
  const start = cursor.offset;
  if (length > cursor.bytes.length - start) throw new FormatError('CBOR ends early', start);
  cursor.offset = start + length;
  return cursor.bytes.subarray(start, cursor.offset);
}

/** The argument of a head (RFC 8949 section 3), in its shortest form only. */
function readArgument(cursor: Cursor, info: number): number {
  const start = cursor.offset - 1;
  if (info < 24) return info;
  if (info > 27) throw new FormatError('CBOR has an indefinite or reserved length', start);
  const size = 1 << (info - 24);
  const raw = take(cursor, size);
  const value = size === 8 ? Number(raw.readBigUInt64BE()) : raw.readUIntBE(0, size);
  if (!Number.isSafeInteger(value)) throw new FormatError('CBOR integer is too large', start);
  const least = size === 1 ? 24 : 2 ** (size * 4);
  if (value < least) throw new FormatError('CBOR integer is not in its shortest form', start);
  return value;
}

function readText(cursor: Cursor, length: number): string {
  const start = cursor.offset;
  const raw = take(cursor, length);
  try {
    return utf8.decode(raw);
  } catch {
    throw new FormatError('CBOR text is not UTF-8', start);
  }
}

function readArray(cursor: Cursor, length: number, depth: number): CborValue[] {
  checkCount(cursor, length, 1);
  const items: CborValue[] = [];
  for (let i = 0; i < length; i++) items.push(readValue(cursor, depth + 1));
  return items;
}

function readMap(cursor: Cursor, length: number, depth: number): CborMap {
  checkCount(cursor, length, 2);
  const map = new Map<CborKey, CborValue>();
  for (let i = 0; i < length; i++) {
    const start = cursor.offset;
    const key = readValue(cursor, depth + 1);
    if (typeof key !== 'string' && typeof key !== 'number') {
      throw new FormatError('CBOR map key is neither an integer nor text', start);
    }
    if (map.has(key)) throw new FormatError('CBOR map key is there twice', start);
    map.set(key, readValue(cursor, depth + 1));
  }
  return map;
}

/** Every item takes a byte at least, so a count that the input cannot hold is refused before anything is read. */
function checkCount(cursor: Cursor, length: number, bytesEach: number): void {
  if (length > (cursor.bytes.length - cursor.offset) / bytesEach)
    throw new FormatError('CBOR ends early', cursor.offset);
}

function readSimple(info: number, start: number): boolean | null {
  if (info === SIMPLE_FALSE) return false;
  if (info === SIMPLE_TRUE) return true;
  if (info === SIMPLE_NULL) return null;
  throw new FormatError('CBOR float or simple value is not allowed', start);
}

function readValue(cursor: Cursor, depth: number): CborValue {
  const start = cursor.offset;
  if (depth > MAX_DEPTH) throw new FormatError('CBOR is nested too deep', start);
  const initial = take(cursor, 1).readUInt8();
  const major = initial >> 5;
  const info = initial & 0x1f;
  if (major > MAJOR_TAG) return readSimple(info, start);
  if (major === MAJOR_TAG) throw new FormatError('CBOR tag is not allowed', start);
  const argument = readArgument(cursor, info);
  switch (major) {
    case MAJOR_UNSIGNED:
      return argument;
    case MAJOR_NEGATIVE:
      return -1 - argument;
    case MAJOR_BYTES:
      return take(cursor, argument);
    case MAJOR_TEXT:
      return readText(cursor, argument);
    case MAJOR_ARRAY:
      return readArray(cursor, argument, depth);
    case MAJOR_MAP:
      return readMap(cursor, argument, depth);
    default:
      throw new FormatError('CBOR type is unknown', start);
  }
}

/**
 * One value that fills `bytes` exactly. The caller bounds the size of the input.
 * @throws FormatError
 */
export function readCbor(bytes: Buffer): CborValue {
  const cursor: Cursor = { bytes, offset: 0 };
  const value = readValue(cursor, 0);
  if (cursor.offset !== bytes.length) throw new FormatError('CBOR has trailing bytes', cursor.offset);
  return value;
}
