/**
 * COPY's CSV format: cells may be quoted, in whole or in part, and hold line ends then (PostgreSQL 18, "COPY", "CSV Format";
 * CopyReadAttributesCSV in src/backend/commands/copyfromparse.c).
 */
import { badCopyData, type CopyCell, type CopyFormat, type CopyReader } from './format.ts';
import { LineReader } from './lines.ts';
import { type CopyOptions, isAmong } from './options.ts';

interface Marks {
  readonly delimiter: number;
  readonly quote: number;
  readonly escaping: number;
}

const LINE_BREAKS = [0x0a, 0x0d];
/** Alone on a line it was the end of the data before PostgreSQL 18. */
const END_MARKER = Buffer.from('\\.');

const codeOf = (character: string) => character.charCodeAt(0);

/** Whether the byte within quotes takes the next one with it. */
function escapesNext(bytes: Buffer, at: number, { quote, escaping }: Marks): boolean {
  const next = bytes[at + 1];
  return bytes[at] === escaping && (next === escaping || next === quote);
}

/** @throws SessionError 22P04 */
function split(line: Buffer, marks: Marks): Buffer[] {
  const cells: Buffer[] = [];
  let from = 0;
  let isQuoted = false;
  for (let at = 0; at < line.length; at += 1) {
    const byte = line[at];
    if (isQuoted && escapesNext(line, at, marks)) at += 1;
    else if (byte === marks.quote) isQuoted = !isQuoted;
    else if (byte === marks.delimiter && !isQuoted) {
      cells.push(line.subarray(from, at));
      from = at + 1;
    }
  }
  if (isQuoted) throw badCopyData('unterminated CSV quoted field');
  cells.push(line.subarray(from));
  return cells;
}

function unquote(cell: Buffer, marks: Marks): Buffer {
  const bytes = Buffer.alloc(cell.length);
  let length = 0;
  let isQuoted = false;
  for (let at = 0; at < cell.length; at += 1) {
    const byte = cell[at] as number;
    if (isQuoted && escapesNext(cell, at, marks)) {
      at += 1;
      bytes[length++] = cell[at] as number;
    } else if (byte === marks.quote) isQuoted = !isQuoted;
    else bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}

function quoted(value: Buffer, { quote, escaping }: Marks): Buffer {
  const bytes = Buffer.alloc(2 * value.length + 2);
  let length = 0;
  bytes[length++] = quote;
  for (const byte of value) {
    if (byte === quote || byte === escaping) bytes[length++] = escaping;
    bytes[length++] = byte;
  }
  bytes[length++] = quote;
  return bytes.subarray(0, length);
}

export class CsvFormat implements CopyFormat {
  readonly isBinary = false;
  readonly #options: CopyOptions;
  readonly #marks: Marks;
  readonly #null: Buffer;
  readonly #default: Buffer | undefined;

  constructor(options: CopyOptions) {
    const { delimiter, quote, nullText, defaultText } = options;
    this.#options = options;
    this.#marks = { delimiter: codeOf(delimiter), quote: codeOf(quote), escaping: codeOf(options.escape) };
    this.#null = Buffer.from(nullText);
    this.#default = defaultText === undefined ? undefined : Buffer.from(defaultText);
  }

  reader(maxRowBytes: number): CopyReader {
    const { delimiter, header } = this.#options;
    const separator = Buffer.from(delimiter);
    const format = { quoting: this.#marks, hasHeader: header !== 'none', separator };
    return new LineReader({ ...format, split: (line) => ({ cells: split(line, this.#marks) }) }, maxRowBytes);
  }

  /** The markers hold no quote, so that a cell that has one is none of them. */
  read(cell: Buffer, column = ''): CopyCell {
    const { forceNotNull, forceNull } = this.#options;
    if (cell.equals(this.#null)) return isAmong(forceNotNull, column) ? this.#null : 'null';
    if (this.#default && cell.equals(this.#default)) return 'default';
    const value = cell.includes(this.#marks.quote) ? unquote(cell, this.#marks) : cell;
    return isAmong(forceNull, column) && value.equals(this.#null) ? 'null' : value;
  }

  write(
    value: Buffer,
    { like, isOnlyCell = false }: { readonly like?: Buffer; readonly isOnlyCell?: boolean } = {},
  ): Buffer {
    const { delimiter, quote } = this.#marks;
    const mustBe =
      like?.[0] === quote ||
      (isOnlyCell && value.equals(END_MARKER)) ||
      value.equals(this.#null) ||
      [delimiter, quote, ...LINE_BREAKS].some((byte) => value.includes(byte));
    return mustBe ? quoted(value, this.#marks) : value;
  }

  writeApart(value: Buffer, column: string, spare: string): Buffer {
    const { forceNull } = this.#options;
    const cell = this.write(value);
    const isNull = cell.equals(this.#null) || (isAmong(forceNull, column) && value.equals(this.#null));
    if (!isNull && !(this.#default && cell.equals(this.#default))) return cell;
    return this.writeApart(Buffer.concat([value, Buffer.from(spare)]), column, spare);
  }
}
