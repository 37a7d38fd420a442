/**
 * The strict rules for CBOR, checked over the bytes before anything is built from them. `cbor-x`, which builds the values,
 * accepts far more than these formats allow: indefinite lengths, any width of an integer, records, tags that name
 * JavaScript objects, keys that are there twice. What passes here has one encoding only, so that nobody can hide a second
 * meaning: definite lengths, shortest integers, UTF-8 text, unique map keys, no tags, floats or undefined, no trailing bytes.
 * Specification: RFC 8949 section 3 and 4.2.1 (without key order, which AWS does not keep); nitro-formats 3.6.
 */
import { FormatError } from '../format-error.ts';

const MAJOR_UNSIGNED = 0;
const MAJOR_NEGATIVE = 1;
const MAJOR_BYTES = 2;
const MAJOR_TEXT = 3;
const MAJOR_ARRAY = 4;
const MAJOR_MAP = 5;
const MAJOR_TAG = 6;

/** false, true, null. */
const SIMPLE_MIN = 20;
const SIMPLE_MAX = 22;

/** Documents nest 2 deep, requests and signature sections 3. */
const MAX_DEPTH = 4;
/** Far above every message and section (nitro-formats 3.1, 3.5, 3.6): each format states a limit of its own, with a code of its own. */
const MAX_BYTES = 262_144;
/** The decoder would drop it from longer texts and keep it in shorter ones. */
const BYTE_ORDER_MARK = Buffer.from('efbbbf', 'hex');

const utf8 = new TextDecoder('utf-8', { fatal: true });

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

function checkText(cursor: Cursor, length: number): void {
  const start = cursor.offset;
  const raw = take(cursor, length);
  if (raw.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)) {
    throw new FormatError('CBOR text begins with a byte-order mark', start);
  }
  try {
    utf8.decode(raw);
  } catch {
    throw new FormatError('CBOR text is not UTF-8', start);
  }
}

function checkArray(cursor: Cursor, length: number, depth: number): void {
  checkCount(cursor, length, 1);
  for (let i = 0; i < length; i++) checkValue(cursor, depth + 1);
}

/** In their only encoding two keys are equal when their bytes are. */
function checkMap(cursor: Cursor, length: number, depth: number): void {
  checkCount(cursor, length, 2);
  const keys = new Set<string>();
  for (let i = 0; i < length; i++) {
    const start = cursor.offset;
    const major = (cursor.bytes[start] ?? 0) >> 5;
    if (major !== MAJOR_UNSIGNED && major !== MAJOR_NEGATIVE && major !== MAJOR_TEXT) {
      throw new FormatError('CBOR map key is neither an integer nor text', start);
    }
    checkValue(cursor, depth + 1);
    const key = cursor.bytes.toString('latin1', start, cursor.offset);
    if (keys.has(key)) throw new FormatError('CBOR map key is there twice', start);
    keys.add(key);
    checkValue(cursor, depth + 1);
  }
}

/** Every item takes a byte at least, so a count that the input cannot hold is refused before anything is read. */
function checkCount(cursor: Cursor, length: number, bytesEach: number): void {
  if (length > (cursor.bytes.length - cursor.offset) / bytesEach)
    throw new FormatError('CBOR ends early', cursor.offset);
}

function checkValue(cursor: Cursor, depth: number): void {
  const start = cursor.offset;
  if (depth > MAX_DEPTH) throw new FormatError('CBOR is nested too deep', start);
  const initial = take(cursor, 1).readUInt8();
  const major = initial >> 5;
  const info = initial & 0x1f;
  if (major === MAJOR_TAG) throw new FormatError('CBOR tag is not allowed', start);
  if (major > MAJOR_TAG) {
    if (info >= SIMPLE_MIN && info <= SIMPLE_MAX) return;
    throw new FormatError('CBOR float or simple value is not allowed', start);
  }
  const argument = readArgument(cursor, info);
  if (major === MAJOR_NEGATIVE && argument === Number.MAX_SAFE_INTEGER) {
    throw new FormatError('CBOR integer is too large', start);
  }
  if (major === MAJOR_BYTES) take(cursor, argument);
  if (major === MAJOR_TEXT) checkText(cursor, argument);
  if (major === MAJOR_ARRAY) checkArray(cursor, argument, depth);
  if (major === MAJOR_MAP) checkMap(cursor, argument, depth);
}

/**
 * That `bytes` are exactly one value, in the only encoding that is allowed.
 * @throws FormatError
 */
export function checkCbor(bytes: Buffer): void {
  if (bytes.length > MAX_BYTES) throw new FormatError(`CBOR is longer than ${MAX_BYTES} bytes`);
  const cursor: Cursor = { bytes, offset: 0 };
  checkValue(cursor, 0);
  if (cursor.offset !== bytes.length) throw new FormatError('CBOR has trailing bytes', cursor.offset);
}
