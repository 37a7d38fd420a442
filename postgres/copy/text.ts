/** COPY's text format: a delimiter between cells, backslashes before what would be read otherwise (PostgreSQL 18, "COPY", "Text Format"). */
import type { CopyCell, CopyFormat, CopyReader } from './format.ts';
import { LineReader } from './lines.ts';
import type { CopyOptions } from './options.ts';

const BACKSLASH = 0x5c;
const X = 0x78;
/** Of the letter behind a backslash; any other byte stands for itself. */
const UNESCAPED = new Map(
  [...'bfnrtv'].map((letter, index) => [letter.charCodeAt(0), [8, 12, 10, 13, 9, 11][index] ?? 0]),
);
const ESCAPED = new Map([...UNESCAPED].map(([letter, byte]) => [byte, letter]));

const octal = (byte = 0) => (byte >= 0x30 && byte <= 0x37 ? byte - 0x30 : undefined);
function hexadecimal(byte = 0): number | undefined {
  const digit = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(digit) ? undefined : digit;
}

function split(line: Buffer, delimiter: number): { readonly cells: Buffer[]; readonly rest: Buffer } {
  const cells: Buffer[] = [];
  let from = 0;
  let at = 0;
  for (; at < line.length; at += 1) {
    const byte = line[at];
    if (byte === BACKSLASH) at += 1;
    else if (byte === delimiter) {
      cells.push(line.subarray(from, at));
      from = at + 1;
    }
  }
  // A backslash that nothing follows stands for nothing.
  const end = at > line.length ? line.length - 1 : line.length;
  cells.push(line.subarray(from, end));
  return { cells, rest: line.subarray(end) };
}

/** What is written behind a backslash. @returns the byte, and where it ends; undefined: no digits, so the byte itself */
function digitsAt(cell: Buffer, at: number): { readonly byte: number; readonly end: number } | undefined {
  const isHex = cell[at] === X;
  const [digitOf, bits, max] = isHex ? ([hexadecimal, 4, 2] as const) : ([octal, 3, 3] as const);
  const from = isHex ? at + 1 : at;
  let byte = 0;
  let end = from;
  for (; end < from + max; end += 1) {
    const digit = digitOf(cell[end]);
    if (digit === undefined) break;
    byte = (byte << bits) | digit;
  }
  return end === from ? undefined : { byte: byte & 0xff, end };
}

function withoutEscapes(cell: Buffer): Buffer {
  if (!cell.includes(BACKSLASH)) return cell;
  const bytes = Buffer.alloc(cell.length);
  let length = 0;
  for (let at = 0; at < cell.length; ) {
    const byte = cell[at] as number;
    at += 1;
    if (byte !== BACKSLASH) {
      bytes[length++] = byte;
      continue;
    }
    const number = digitsAt(cell, at);
    const letter = cell[at] ?? BACKSLASH;
    bytes[length++] = number ? number.byte : (UNESCAPED.get(letter) ?? letter);
    at = number ? number.end : at + 1;
  }
  return bytes.subarray(0, length);
}

function withEscapes(value: Buffer, delimiter: number): Buffer {
  const bytes = Buffer.alloc(2 * value.length);
  let length = 0;
  for (const byte of value) {
    const letter = ESCAPED.get(byte) ?? (byte === delimiter || byte === BACKSLASH ? byte : undefined);
    if (letter !== undefined) bytes[length++] = BACKSLASH;
    bytes[length++] = letter ?? byte;
  }
  return bytes.subarray(0, length);
}

export class TextFormat implements CopyFormat {
  readonly isBinary = false;
  readonly #separator: Buffer;
  readonly #null: Buffer;
  readonly #default: Buffer | undefined;
  readonly #hasHeader: boolean;

  constructor({ delimiter, nullText, defaultText, header }: CopyOptions) {
    this.#separator = Buffer.from(delimiter);
    this.#null = Buffer.from(nullText);
    this.#default = defaultText === undefined ? undefined : Buffer.from(defaultText);
    this.#hasHeader = header !== 'none';
  }

  reader(maxRowBytes: number): CopyReader {
    const separator = this.#separator;
    const format = { quoting: undefined, hasHeader: this.#hasHeader, separator };
    return new LineReader({ ...format, split: (line) => split(line, separator[0] as number) }, maxRowBytes);
  }

  read(cell: Buffer): CopyCell {
    if (cell.equals(this.#null)) return 'null';
    return this.#default && cell.equals(this.#default) ? 'default' : withoutEscapes(cell);
  }

  write(value: Buffer): Buffer {
    return withEscapes(value, this.#separator[0] as number);
  }

  writeApart(value: Buffer, _column: string, spare: string): Buffer {
    const cell = this.write(value);
    const isMarker = [this.#null, this.#default].some((marker) => marker && cell.equals(marker));
    return isMarker ? this.writeApart(Buffer.concat([value, Buffer.from(spare)]), _column, spare) : cell;
  }
}
