/**
 * Keeps long cells from the library, which puts each message together from ever longer Buffers and makes a text of each cell: of a row
 * that is long it is given the short cells, and of each long one that it is there. The bytes of it go where they are wanted, as they come
 * (PostgreSQL 18, "Message Formats": DataRow).
 */
import { BACKEND } from '../../postgres/message-types.ts';
import { DATA_ROW, HEADER_BYTES } from '../../postgres/messages.ts';
import { SessionError } from '../../postgres/session-error.ts';

/** Rows up to this are the library's. */
const LONG_ROW_BYTES = 256 * 1024;
/** Cells of a long row up to this are as any. */
const SHORT_CELL_BYTES = 8 * 1024;
/** What the library reads in place of a long cell: no text of PostgreSQL's has it. */
export const LONG = '\0';
const LONG_BYTES = Buffer.from(LONG);
const EMPTY = Buffer.alloc(0);
/** A message's length counts itself. */
const LENGTH_BYTES = 4;

const malformed = () => new SessionError('08P01', 'malformed row');

/** Where the bytes of a cell go. */
export interface CellSink {
  begin(bytes: number): void;
  /** The chunk is lent. */
  take(chunk: Buffer): void;
}

/** What comes is counted by nobody. */
export const NOWHERE: CellSink = { begin: () => undefined, take: () => undefined };

/** A row whose cells are parted as they come. */
class PartedRow {
  readonly #cells: (Buffer | null)[] = [];
  readonly #sink: CellSink | undefined;
  readonly #keptBytes: number;
  #left: number;
  /** Undefined: not read yet. */
  #count: number | undefined;
  #number: Buffer = EMPTY;
  #cell: { readonly kept: Buffer[] | undefined; left: number } | undefined;

  /** @param bytes of the body @param sink undefined: long cells are let go. @param keptBytes longer cells are long */
  constructor(bytes: number, sink: CellSink | undefined, keptBytes: number) {
    this.#left = bytes;
    this.#sink = sink;
    this.#keptBytes = keptBytes;
  }

  get isWhole(): boolean {
    return this.#left === 0 && this.#cells.length === this.#count && this.#cell === undefined;
  }

  get frame(): Buffer {
    return DATA_ROW.encode(this.#cells);
  }

  /** @returns how many bytes were the row's @throws SessionError 08P01 for what is none */
  take(bytes: Buffer): number {
    const own = bytes.subarray(0, this.#left);
    let at = 0;
    while (at < own.length) at += this.#cell ? this.#more(this.#cell, own.subarray(at)) : this.#begin(own.subarray(at));
    this.#left -= own.length;
    if (this.#left === 0 && !this.isWhole) throw malformed();
    return own.length;
  }

  /** The count of cells, or the length of the next one. */
  #begin(bytes: Buffer): number {
    const wanted = this.#count === undefined ? 2 : 4;
    const taken = bytes.subarray(0, wanted - this.#number.length);
    this.#number = Buffer.concat([this.#number, taken]);
    if (this.#number.length < wanted) return taken.length;
    const number = wanted === 2 ? this.#number.readUInt16BE() : this.#number.readInt32BE();
    this.#number = EMPTY;
    if (wanted === 2) this.#count = number;
    else this.#beginCell(number);
    return taken.length;
  }

  #beginCell(length: number): void {
    if (length < 0) {
      this.#cells.push(null);
      return;
    }
    const isLong = length > this.#keptBytes;
    if (isLong) this.#sink?.begin(length);
    this.#cell = { kept: isLong ? undefined : [], left: length };
    if (length === 0) this.#endCell(this.#cell.kept);
  }

  #more(cell: { readonly kept: Buffer[] | undefined; left: number }, bytes: Buffer): number {
    const part = bytes.subarray(0, cell.left);
    cell.left -= part.length;
    if (cell.kept) cell.kept.push(Buffer.from(part));
    else this.#sink?.take(part);
    if (cell.left === 0) this.#endCell(cell.kept);
    return part.length;
  }

  #endCell(kept: readonly Buffer[] | undefined): void {
    this.#cells.push(kept ? Buffer.concat(kept) : LONG_BYTES);
    this.#cell = undefined;
  }
}

/** Of one session, from behind its login on. */
export class LongCells {
  #sink: CellSink | undefined;
  #head: Buffer = EMPTY;
  /** Of a message that goes to the library, or of what is left of it. */
  #passing = 0;
  #row: PartedRow | undefined;

  /** Every cell of every row goes there, however short it is. @param sink undefined: as usual again */
  sendTo(sink: CellSink | undefined): void {
    this.#sink = sink;
  }

  /** @returns what the library is to read @throws SessionError 08P01 for a row that is none */
  *take(chunk: Buffer): Generator<Buffer> {
    const bytes = this.#head.length > 0 ? Buffer.concat([this.#head, chunk]) : chunk;
    this.#head = EMPTY;
    let [from, at] = [0, 0];
    while (at < bytes.length) {
      if (this.#passing > 0) {
        const passed = Math.min(this.#passing, bytes.length - at);
        this.#passing -= passed;
        at += passed;
      } else if (this.#row) {
        at += this.#row.take(bytes.subarray(at));
        from = at;
        if (!this.#row.isWhole) continue;
        yield this.#row.frame;
        this.#row = undefined;
      } else if (bytes.length - at < HEADER_BYTES) {
        this.#head = bytes.subarray(at);
        break;
      } else if (this.#begin(bytes[at], bytes.readUInt32BE(at + 1))) {
        if (at > from) yield bytes.subarray(from, at);
        at += HEADER_BYTES;
        from = at;
      }
    }
    if (at > from) yield bytes.subarray(from, at);
  }

  /** @returns whether it is a row that is parted @throws SessionError 08P01 */
  #begin(type: number | undefined, length: number): boolean {
    const isParted =
      String.fromCharCode(type ?? 0) === BACKEND.dataRow && (this.#sink !== undefined || length > LONG_ROW_BYTES);
    if (isParted && length < LENGTH_BYTES) throw malformed();
    if (isParted) this.#row = new PartedRow(length - LENGTH_BYTES, this.#sink, this.#sink ? -1 : SHORT_CELL_BYTES);
    else this.#passing = 1 + length;
    return isParted;
  }
}
