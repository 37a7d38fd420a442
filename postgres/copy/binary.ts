/**
 * COPY's binary format (PostgreSQL 18, "COPY", "Binary Format").
 *
 *   signature (11) │ flags (4) │ length (4), extension │ rows … │ -1 (2)
 *   row: number of cells (2), each: length (4; -1: NULL), bytes
 */
import { withLength } from '../integers.ts';
import { Accumulator } from './accumulator.ts';
import {
  badCopyData,
  type CopyCell,
  type CopyFormat,
  type CopyItem,
  type CopyReader,
  frameOf,
  requireShort,
} from './format.ts';

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const HEADER_BYTES: number = SIGNATURE.length + 8;
/** What a reader must know to go on, of which there is nothing in this version but OIDs, which no longer are. */
const CRITICAL_FLAGS = 0xffff0000;
const END_OF_DATA = -1;
const NULL_LENGTH = -1;
const EMPTY: Buffer = Buffer.alloc(0);

class BinaryReader implements CopyReader {
  readonly #maxRowBytes: number;
  readonly #held = new Accumulator();
  #state: 'header' | 'count' | 'length' | 'cell' | 'ended' = 'header';
  /** So many bytes must be there for the next step. */
  #needed = HEADER_BYTES;
  #count: Buffer = EMPTY;
  #cells: Buffer[] = [];
  #rowBytes = 0;

  constructor(maxRowBytes: number) {
    this.#maxRowBytes = maxRowBytes;
  }

  get heldBytes(): number {
    return this.#rowBytes + this.#held.length;
  }

  *push(bytes: Buffer): Generator<CopyItem> {
    let from = 0;
    try {
      while (this.#state !== 'ended' && this.#held.length + bytes.length - from >= this.#needed) {
        const end = from + this.#needed - this.#held.length;
        const part = bytes.subarray(from, end);
        const item = this.#step(this.#held.length === 0 ? part : this.#held.take(part), part.length);
        from = end;
        if (item) yield item;
      }
      if (this.#state === 'ended' && from < bytes.length) {
        const ignored = frameOf(bytes.subarray(from), 'ignored');
        from = bytes.length;
        yield ignored;
      }
    } finally {
      this.#held.append(bytes.subarray(from));
    }
  }

  end(): undefined {
    if (this.#state === 'header') throw badCopyData('COPY file signature not recognized');
    if (this.#state === 'ended' || (this.#state === 'count' && this.#held.length === 0)) return;
    throw badCopyData('unexpected EOF in COPY data');
  }

  rest(): Buffer {
    const rest = Buffer.concat([this.#count, ...this.#cells, this.#held.take()]);
    this.#begin();
    return rest;
  }

  /** @param bytes as many as were needed @param fresh how many of them are not held any more when it throws */
  #step(bytes: Buffer, fresh: number): CopyItem | undefined {
    try {
      if (this.#state === 'header') return this.#header(bytes);
      if (this.#state === 'count') return this.#row(bytes);
      return this.#cell(bytes);
    } catch (error) {
      this.#held.append(bytes.subarray(0, bytes.length - fresh));
      throw error;
    }
  }

  #header(bytes: Buffer): CopyItem {
    if (!bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE)) throw badCopyData('COPY file signature not recognized');
    const flags = bytes.readUInt32BE(SIGNATURE.length);
    const extensionBytes = bytes.readInt32BE(SIGNATURE.length + 4);
    if ((flags & CRITICAL_FLAGS) !== 0) throw badCopyData('unrecognized critical flags in COPY file header');
    if (extensionBytes !== 0) throw badCopyData('COPY file header has an extension, which nobody here reads');
    this.#begin();
    return frameOf(bytes);
  }

  #row(bytes: Buffer): CopyItem | undefined {
    const count = bytes.readInt16BE();
    if (count === END_OF_DATA) {
      this.#state = 'ended';
      return frameOf(bytes);
    }
    if (count < 0) throw badCopyData(`row field count is ${count}`);
    this.#count = bytes;
    this.#rowBytes = bytes.length;
    return this.#next();
  }

  #cell(bytes: Buffer): CopyItem | undefined {
    const length = bytes.readInt32BE();
    if (this.#state === 'length') {
      if (length < NULL_LENGTH) throw badCopyData('invalid field size');
      requireShort(this.#rowBytes + 4 + Math.max(0, length), this.#maxRowBytes);
    }
    if (this.#state === 'length' && length > 0) {
      this.#state = 'cell';
      this.#needed = 4 + length;
      this.#held.append(bytes);
      return undefined;
    }
    this.#cells.push(bytes);
    this.#rowBytes += bytes.length;
    return this.#next();
  }

  /** The next cell, or the row that is complete. */
  #next(): CopyItem | undefined {
    if (this.#cells.length < this.#count.readInt16BE()) {
      this.#state = 'length';
      this.#needed = 4;
      return undefined;
    }
    const item: CopyItem = { kind: 'row', head: this.#count, cells: this.#cells, separator: EMPTY, tail: EMPTY };
    this.#begin();
    return item;
  }

  #begin(): void {
    this.#state = 'count';
    this.#needed = 2;
    this.#count = EMPTY;
    this.#cells = [];
    this.#rowBytes = 0;
  }
}

export class BinaryFormat implements CopyFormat {
  readonly isBinary = true;

  reader(maxRowBytes: number): CopyReader {
    return new BinaryReader(maxRowBytes);
  }

  read(cell: Buffer): CopyCell {
    return cell.readInt32BE() === NULL_LENGTH ? 'null' : cell.subarray(4);
  }

  write(value: Buffer): Buffer {
    return Buffer.concat(withLength(value));
  }

  writeApart(value: Buffer): Buffer {
    return this.write(value);
  }
}
