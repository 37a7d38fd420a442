/**
 * Finds containers anywhere in a cell that nobody has decoded, and AcraBlocks and AcraStructs without one where a cell begins with them. A
 * cell may be binary, or text with bytea's hex or escape form in it (PostgreSQL 18, "Binary Data Types"), in an array or JSON as well.
 * Only headers are looked at (acra-server contract 9.1), and what has been found is passed over, so that the time is in proportion to the
 * length, whatever it holds.
 */
import { MAX_HEAD_BYTES, statedLength } from './container.ts';

/** Two Secure Cells, each of 44 bytes and what it seals, behind a header: nothing shorter can be opened. */
export const MIN_ENVELOPE_BYTES = 20 + 45 + 45;

const TAG = Buffer.from('%%%');
const HEX_TAG = Buffer.from(TAG.toString('hex'));
const HEX_MARK = Buffer.from('\\x');
/** Of an AcraBlock; an AcraStruct has it twice. */
const BLOCK_TAG = Buffer.from('""""');
const HEX_BLOCK = Buffer.concat([HEX_MARK, Buffer.from(BLOCK_TAG.toString('hex'))]);
const ESCAPED_ZERO = Buffer.from('\\000');
/** Behind a tag stands a u64, little-endian, below 4 GiB: its high half is 0. */
const HIGH_HALF_AT = 7;
const HALF_BYTES = 4;
const ESCAPED_HALF = Buffer.from('\\000'.repeat(HALF_BYTES));
const HEX_WIDTH = 2;

interface Found {
  readonly envelope: Buffer;
  /** Of the place in which it was found. */
  readonly end: number;
}

/** Whether there may be a container anywhere: one look at many cells at once. What has none of its own is found by `mayBeBare`. */
export function mayHoldContainers(cells: Buffer): boolean {
  if (cells.includes(TAG)) return true;
  const hex = cells.indexOf(HEX_MARK);
  return hex !== -1 && cells.includes(HEX_TAG, hex);
}

/** Whether a cell that begins there may be an AcraBlock or AcraStruct. */
export function mayBeBare(cells: Buffer, at: number): boolean {
  return cells[at] === BLOCK_TAG[0] || (cells[at] === HEX_BLOCK[0] && stands(cells, at, HEX_BLOCK));
}

/** Each in binary form. One cell may hold hundreds of thousands. */
export function* containersIn(cell: Buffer): Generator<Buffer> {
  if (cell.length < MIN_ENVELOPE_BYTES) return;
  const bare = bareAtStart(cell);
  if (bare) yield bare;
  yield* search(cell, TAG, 0, 1, 0, (at) => binaryAt(cell, at));
  const hex = cell.indexOf(HEX_MARK);
  if (hex !== -1) yield* search(cell, HEX_TAG, hex, HEX_WIDTH, 0x30, hexReader(cell));
  const escaped = cell.indexOf(ESCAPED_HALF);
  if (escaped !== -1) yield* searchEscaped(cell, escaped);
}

/** What a header states, if that much can be opened. */
function envelopeLength(head: Buffer): number | undefined {
  const length = statedLength(head);
  return length !== undefined && length >= MIN_ENVELOPE_BYTES ? length : undefined;
}

function bareAtStart(cell: Buffer): Buffer | undefined {
  if (stands(cell, 0, HEX_BLOCK)) return hexReader(cell)(HEX_MARK.length)?.envelope;
  if (!stands(cell, 0, BLOCK_TAG)) return undefined;
  const length = escapedLength(cell, 0);
  return binaryAt(cell, 0)?.envelope ?? (length === undefined ? undefined : escapedAt(cell, 0, length)?.envelope);
}

/** @param width of a byte, as it is written @param zero what each of its characters is then */
function* search(
  cell: Buffer,
  tag: Buffer,
  from: number,
  width: number,
  zero: number,
  readAt: (at: number) => Found | undefined,
): Generator<Buffer> {
  for (let at = cell.indexOf(tag, from); at !== -1; ) {
    const half = at + HIGH_HALF_AT * width;
    const here = isRun(cell, half, zero, HALF_BYTES * width) ? readAt(at) : undefined;
    if (here) yield here.envelope;
    // In a long run of tags there is one at every place: a search for each would take seconds.
    const next = here?.end ?? at + width;
    at = stands(cell, next, tag) ? next : cell.indexOf(tag, here ? next : at + 1);
  }
}

function isRun(cell: Buffer, at: number, byte: number, count: number): boolean {
  for (let index = at; index < at + count; index += 1) if (cell[index] !== byte) return false;
  return true;
}

function stands(cell: Buffer, at: number, tag: Buffer): boolean {
  for (let index = 0; index < tag.length; index += 1) if (cell[at + index] !== tag[index]) return false;
  return true;
}

function binaryAt(cell: Buffer, at: number): Found | undefined {
  const length = envelopeLength(cell.subarray(at, at + MAX_HEAD_BYTES));
  if (length === undefined || at + length > cell.length) return undefined;
  return { envelope: cell.subarray(at, at + length), end: at + length };
}

/** PostgreSQL writes small letters. */
const isHexDigit = (byte = 0) => (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66);

function hexReader(cell: Buffer): (at: number) => Found | undefined {
  /** Of the digits under way. */
  let digitsEnd = 0;
  const decoded = (at: number, length: number) =>
    Buffer.from(cell.subarray(at, at + HEX_WIDTH * length).toString('latin1'), 'hex');
  return (at) => {
    const length = envelopeLength(decoded(at, MAX_HEAD_BYTES));
    if (length === undefined) return undefined;
    if (digitsEnd <= at) for (digitsEnd = at; isHexDigit(cell[digitsEnd]); ) digitsEnd += 1;
    const end = at + HEX_WIDTH * length;
    return end > digitsEnd ? undefined : { envelope: decoded(at, length), end };
  };
}

/** From the zeros of their length backwards: in text a tag is nothing rare. */
function* searchEscaped(cell: Buffer, first: number): Generator<Buffer> {
  /** So that headers which state more than there is do not have all of it decoded for each. */
  let budget = 2 * cell.length;
  for (let half = first; half !== -1 && budget > 0; ) {
    let found: Found | undefined;
    const from = Math.max(0, half - TAG.length - HALF_BYTES * ESCAPED_ZERO.length);
    for (let at = from; at < half && !found; at += 1) {
      if (!stands(cell, at, TAG)) continue;
      const length = escapedLength(cell, at);
      found = length === undefined ? undefined : escapedAt(cell, at, length);
      budget -= MAX_HEAD_BYTES + (length ?? 0);
    }
    if (found) yield found.envelope;
    let next = found?.end ?? half + ESCAPED_HALF.length;
    while (stands(cell, next, ESCAPED_ZERO)) next += ESCAPED_ZERO.length;
    half = cell.indexOf(ESCAPED_HALF, next);
  }
}

function escapedLength(cell: Buffer, at: number): number | undefined {
  const length = envelopeLength(unescaped(cell, at, MAX_HEAD_BYTES).bytes);
  return length !== undefined && at + length <= cell.length ? length : undefined;
}

function escapedAt(cell: Buffer, at: number, length: number): Found | undefined {
  const { bytes, end } = unescaped(cell, at, length);
  return bytes.length === length ? { envelope: bytes, end } : undefined;
}

const BACKSLASH = 0x5c;
const octalDigit = (byte = 0) => (byte >= 0x30 && byte <= 0x37 ? byte - 0x30 : Number.NaN);

/** Up to so many bytes of bytea's escape form, or to what is none. */
function unescaped(text: Buffer, from: number, maxBytes: number): { readonly bytes: Buffer; readonly end: number } {
  const bytes = Buffer.alloc(Math.min(maxBytes, text.length - from));
  let length = 0;
  let at = from;
  for (; length < bytes.length && at < text.length; length += 1) {
    const byte = text[at] ?? 0;
    const octal = 64 * octalDigit(text[at + 1]) + 8 * octalDigit(text[at + 2]) + octalDigit(text[at + 3]);
    if (byte !== BACKSLASH || text[at + 1] === BACKSLASH) bytes[length] = byte;
    else if (octal <= 0xff) bytes[length] = octal;
    else break;
    at += byte !== BACKSLASH ? 1 : text[at + 1] === BACKSLASH ? 2 : 4;
  }
  return { bytes: bytes.subarray(0, length), end: at };
}
