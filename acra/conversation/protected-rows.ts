/**
 * Rows that a client copies into a protected table: cut out of its messages, the values of protected columns encrypted, many rows at
 * once, and all other cells byte for byte. What is not complete, or not protected, is never sent on.
 */
import { isUtf8 } from 'node:buffer';
import { type CopyFormat, type CopyItem, type CopyReader, encodeItem } from '../../postgres/copy/format.ts';
import { openFormat } from '../../postgres/copy/open-format.ts';
import { LONG_MESSAGE_BYTES } from '../../postgres/message-reader.ts';
import { FRONTEND } from '../../postgres/message-types.ts';
import { encodeMessage } from '../../postgres/messages.ts';
import { SessionError } from '../../postgres/session-error.ts';
import { databaseText, databaseTypeOf } from '../encryptor-config/database-type.ts';
import type { EncryptedColumn } from '../encryptor-config/schema.ts';
import type { ProtectedCopy } from '../statements/copy-stream.ts';
import { Refusal } from '../statements/refusal.ts';
import type { ValueProtector } from './value-protector.ts';

/** What is asked of the protector at once. */
const BATCH_ROWS = 512;
const BATCH_BYTES = 256 * 1024;
/** One of these says that a value is none of its type. */
const BAD_VALUE: readonly string[] = ['22P02', '22003'];
/** What a database reads as no bytea and no integer, so that it leaves out the row itself, and counts it. */
const NO_BYTEA = Buffer.from('\\x!');
/** Where it stands alone, older servers take it for the end, newer ones for data. */
const END_MARKER = Buffer.from('\\.');

/** What holds for the rows of one client. */
export interface CopyLimits {
  readonly maxRowBytes: number;
  /** For rows that are long and not complete; undefined: there is no end to it. */
  readonly room: { take(bytes: number): boolean; give(bytes: number): void } | undefined;
  /** Cells may be what was stored before; then the protector says what is text. */
  readonly mayBeStored: boolean;
}

interface Value {
  readonly item: CopyItem;
  readonly place: number;
  readonly column: EncryptedColumn;
  readonly bytes: Buffer;
}

/** Of a row, by its reader. */
const TOO_LONG = '54000';

const badData = (what: string) => new Refusal('copy-data', what);

export class ProtectedRows {
  readonly #content: ProtectedCopy;
  readonly #protector: ValueProtector;
  readonly #limits: CopyLimits;
  readonly #format: CopyFormat;
  readonly #reader: CopyReader;
  #batch: CopyItem[] = [];
  #batchBytes = 0;
  /** Batches that are with the protector, in order. */
  #underWay: Promise<Buffer>[] = [];
  #takenBytes = 0;
  #isOver = false;

  constructor(content: ProtectedCopy, protector: ValueProtector, limits: CopyLimits) {
    this.#content = content;
    this.#protector = protector;
    this.#limits = limits;
    this.#format = openFormat(content.options);
    this.#reader = this.#format.reader(limits.maxRowBytes);
  }

  /** @returns what the database gets; of the last rows, behind others. @throws Refusal, as PostgreSQL for data that it would refuse */
  async *push(bytes: Buffer): AsyncGenerator<Buffer> {
    try {
      const items = this.#reader.push(bytes);
      for (let item = next(items); item; item = next(items)) {
        this.#add(item);
        if (this.#batch.length >= BATCH_ROWS || this.#batchBytes >= BATCH_BYTES) yield* this.#flush();
      }
      this.#hold(this.#reader.heldBytes);
      // Its place is given to others when this ends.
      if (bytes.length > LONG_MESSAGE_BYTES) yield* this.#taken(0);
    } catch (error) {
      yield* this.#taken(0);
      throw error;
    }
  }

  /** The client has sent all. @throws Refusal */
  async *end(): AsyncGenerator<Buffer> {
    try {
      const item = refused(() => this.#reader.end());
      if (item) this.#add(item);
      if (this.#batch.length > 0) yield* this.#flush();
    } catch (error) {
      yield* this.#taken(0);
      throw error;
    }
    yield* this.#taken(0);
    this.release();
  }

  /** Takes no room any more, whatever still goes on. */
  release(): void {
    this.#hold(0);
    this.#isOver = true;
    this.#underWay = [];
  }

  /** The next rows are read while these are with the protector; of long ones there is no more than one batch. */
  async *#flush(): AsyncGenerator<Buffer> {
    const isLong = this.#batchBytes >= 2 * BATCH_BYTES;
    const batch = this.#protected();
    batch.catch(() => undefined);
    this.#underWay.push(batch);
    yield* this.#taken(isLong ? 0 : 1);
  }

  /** What is done, in order, up to so many that may go on. @throws Refusal, after which nothing follows */
  async *#taken(left: number): AsyncGenerator<Buffer> {
    while (this.#underWay.length > left) {
      const [batch] = this.#underWay;
      try {
        const bytes = await batch;
        if (this.#isOver || !bytes) return;
        this.#underWay.shift();
        yield bytes;
      } catch (error) {
        this.#underWay = [];
        throw error;
      }
    }
  }

  /** Room for what is held of a row. @throws Refusal 53200 */
  #hold(heldBytes: number): void {
    if (this.#isOver) return;
    const { room } = this.#limits;
    const bytes = heldBytes > LONG_MESSAGE_BYTES ? heldBytes : 0;
    const more = bytes - this.#takenBytes;
    if (more > 0 && room?.take(more) === false) {
      const reason = `a row of ${heldBytes} bytes or more finds no room`;
      throw new Refusal('busy', `${reason}: too many long ones of this client are under way; try again`);
    }
    if (more < 0) room?.give(-more);
    this.#takenBytes = bytes;
  }

  #add(item: CopyItem): void {
    const { names, options } = this.#content;
    if (item.kind === 'ignored') {
      if (this.#format.isBinary) throw badData('received COPY data after EOF marker');
      return;
    }
    if (item.kind === 'row') this.#requireCells(item.cells);
    if (item.kind === 'header' && options.header === 'match') this.#requireNames(item.cells);
    // Nobody looks at a line that is passed over: it may be a row that its sender has forgotten of.
    const isPassedOver = item.kind === 'header' && options.header === 'skip';
    this.#batch.push(isPassedOver ? { ...item, cells: [] } : item);
    this.#batchBytes += item.cells.reduce((sum, cell) => sum + cell.length, names.length);
  }

  #requireCells(cells: readonly Buffer[]): void {
    const { names, options } = this.#content;
    const isMarker = options.format === 'csv' && cells.length === 1 && cells[0]?.equals(END_MARKER) === true;
    if (isMarker && names.length > 1) return;
    if (isMarker) {
      const reason = 'a line of CSV is \\. and nothing else, which is data for some servers and the end for others';
      throw new Refusal('copy', `${reason}: write it in quotes`);
    }
    if (cells.length === names.length) return;
    if (this.#format.isBinary) throw badData(`row field count is ${cells.length}, expected ${names.length}`);
    if (cells.length > names.length) throw badData('extra data after last expected column');
    throw badData(`missing data for column "${names[cells.length]}"`);
  }

  #requireNames(cells: readonly Buffer[]): void {
    const { names } = this.#content;
    if (cells.length !== names.length) {
      throw badData(`wrong number of fields in header line: got ${cells.length}, expected ${names.length}`);
    }
    const wrong = cells.findIndex((cell, place) => this.#format.read(cell).toString() !== names[place]);
    if (wrong !== -1) {
      throw badData(`column name mismatch in header line field ${wrong + 1}: expected "${names[wrong]}"`);
    }
  }

  async #protected(): Promise<Buffer> {
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    const values = batch.flatMap((item) => this.#valuesOf(item));
    const stored = await Promise.allSettled(values.map((value) => this.#protect(value)));
    const cells = new Map(batch.map((item) => [item, [] as Buffer[]]));
    for (const [index, { item, place, column }] of values.entries()) {
      const result = stored[index];
      const own = cells.get(item);
      if (result && own) own[place] = this.#cellFor(column, result);
    }
    return encodeMessage(FRONTEND.copyData, ...batch.map((item) => encodeItem(item, cells.get(item))));
  }

  #valuesOf(item: CopyItem): Value[] {
    const { outputs, names } = this.#content;
    if (item.kind !== 'row' || item.cells.length !== names.length) return [];
    return item.cells.flatMap((cell, place) => {
      const output = outputs[place];
      if (typeof output !== 'object') return [];
      const { column } = output;
      const bytes = this.#format.read(cell, names[place]);
      return Buffer.isBuffer(bytes) ? [{ item, place, column, bytes }] : [];
    });
  }

  async #protect({ column, bytes }: Value): Promise<Buffer> {
    const { isBinary } = this.#format;
    const isText = !isBinary || (column.dataType === 'str' && !this.#limits.mayBeStored);
    if (isText && (!isUtf8(bytes) || bytes.includes(0))) {
      throw new Refusal(
        'value-invalid',
        `invalid byte sequence for encoding "UTF8" in column "${column.name}"`,
        '22021',
      );
    }
    const stored = await this.#protector.parameter({ column, role: 'store' }, bytes, isBinary);
    if (stored) return stored;
    throw new Refusal('engine', `a value for column "${column.name}" is not protected`);
  }

  /** A space behind them means nothing to bytea and integers; a token of text must not have one. @throws Refusal */
  #cellOf(column: EncryptedColumn, text: Buffer): Buffer {
    if (databaseTypeOf(column).name !== 'text') return this.#format.writeApart(text, column.name, ' ');
    const cell = this.#format.write(text);
    const read = this.#format.read(cell, column.name);
    if (Buffer.isBuffer(read) && read.equals(text)) return cell;
    const what = `a token for column "${column.name}" is what this COPY writes for NULL or the default`;
    throw new Refusal('copy', `${what}: leave out NULL and DEFAULT, or write them in characters that no token has`);
  }

  #cellFor(column: EncryptedColumn, result: PromiseSettledResult<Buffer>): Buffer {
    if (result.status === 'fulfilled') {
      if (this.#format.isBinary) return this.#format.write(result.value);
      return this.#cellOf(column, Buffer.from(databaseText(column, result.value)));
    }
    const { reason } = result;
    const isRead = databaseTypeOf(column).name === 'text';
    const isSkipped =
      !isRead && this.#content.skipsBadRows && reason instanceof Refusal && BAD_VALUE.includes(reason.sqlState);
    if (isSkipped) return this.#format.write(NO_BYTEA);
    throw reason;
  }
}

/** @throws Refusal */
function refused<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SessionError)) throw error;
    throw new Refusal(error.sqlState === TOO_LONG ? 'too-long' : 'copy-data', error.message);
  }
}

function next(items: Generator<CopyItem>): CopyItem | undefined {
  return refused(() => items.next().value);
}
