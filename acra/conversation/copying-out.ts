/**
 * COPY … TO STDOUT (PostgreSQL 18, "COPY Operations"): cells of protected columns, as the statement says which these are, are decrypted.
 * Rows are cut out of the database's messages, and go on in messages that end where its own do. What cannot be read as rows goes on as
 * it is stored, and so does a row of another number of cells; the protector sees all of it. Tokens are not told so: they look like values.
 */
import { type CopyFormat, type CopyItem, type CopyReader, encodeItem } from '../../postgres/copy/format.ts';
import { openFormat } from '../../postgres/copy/open-format.ts';
import { MAX_MESSAGE_BYTES, type Message } from '../../postgres/message-reader.ts';
import { BACKEND } from '../../postgres/message-types.ts';
import { DATA_ROW, encodeMessage, HEADER_BYTES } from '../../postgres/messages.ts';
import { SessionError } from '../../postgres/session-error.ts';
import type { ProtectedCopy } from '../statements/copy-stream.ts';
import { alignOutputs, lacksTokens } from '../statements/outputs.ts';
import { Refusal } from '../statements/refusal.ts';
import type { ValueProtector } from './value-protector.ts';

const BINARY = 1;
/** MaxTupleAttributeNumber (PostgreSQL 18, src/include/access/htup_details.h). A row with more is a lie. */
const MAX_COLUMNS = 1664;
/** Of the database's messages. */
export const ENDS_COPY: readonly string[] = [
  BACKEND.copyDone,
  BACKEND.commandComplete,
  BACKEND.errorResponse,
  BACKEND.readyForQuery,
];

interface Reading {
  readonly content: ProtectedCopy;
  readonly format: CopyFormat;
  /** Undefined: what came cannot be read. */
  reader: CopyReader | undefined;
}

/** Of data with tokens that cannot be found in it. */
function withheld(): Refusal {
  return new Refusal(
    'tokens',
    'what the database sends is not what the COPY asks for, and a token would look like a value',
  );
}

const hasTokens = ({ outputs }: ProtectedCopy) => lacksTokens(outputs, []);

export class CopyingOut {
  readonly #protector: ValueProtector;
  #reading: Reading | undefined;
  /** What comes must be read, or not be told. */
  #hasTokens = false;

  constructor(protector: ValueProtector) {
    this.#protector = protector;
  }

  /** @param content undefined: nothing of it is protected @param body of CopyOutResponse */
  begin(content: ProtectedCopy | undefined, body: Buffer): void {
    this.#reading = undefined;
    this.#hasTokens = content !== undefined && hasTokens(content);
    if (!content) return;
    const format = openFormat(content.options);
    if ((body[0] === BINARY) !== format.isBinary) return;
    this.#reading = { content, format, reader: format.reader(MAX_MESSAGE_BYTES) };
  }

  /** It has ended, well or not. @returns what of a row was held */
  end(): readonly Buffer[] {
    const rest = this.#hasTokens ? undefined : this.#reading?.reader?.rest();
    this.#reading = undefined;
    this.#hasTokens = false;
    return rest?.length ? [encodeMessage(BACKEND.copyData, rest)] : [];
  }

  /** @param messages CopyData, in order. @returns what the client gets. @throws Refusal, SessionError */
  async data(messages: readonly Message[]): Promise<readonly Buffer[]> {
    const reading = this.#reading;
    if (this.#hasTokens && !reading?.reader) throw withheld();
    if (!reading?.reader) return await this.#passed(messages.map(({ frame }) => frame));
    const all = messages.map(({ body }) => read(reading, body));
    if (this.#hasTokens && !reading.reader) throw withheld();
    const rows = all.flatMap(({ items }) => items.filter(({ kind }) => kind === 'row'));
    const cells = new Map<CopyItem, readonly (Buffer | undefined)[]>();
    for (const [count, group] of Map.groupBy(rows, (row) => row.cells.length)) {
      const revealed = await this.#reveal(reading, count, group);
      for (const [index, own] of revealed.entries()) cells.set(group[index] as CopyItem, own);
    }
    const others = all.flatMap(({ items, rest }) => [
      ...items.filter(({ kind }) => kind !== 'row').map((item) => encodeItem(item)),
      ...(rest.length > 0 ? [rest] : []),
    ]);
    if (others.length > 0) await this.#passed(others.map((bytes) => encodeMessage(BACKEND.copyData, bytes)));
    return all.flatMap(({ items, rest }) => {
      const bytes = Buffer.concat([...items.map((item) => encodeItem(item, cells.get(item))), rest]);
      return bytes.length === 0 ? [] : [encodeMessage(BACKEND.copyData, bytes)];
    });
  }

  async #passed(frames: readonly Buffer[]): Promise<readonly Buffer[]> {
    await this.#protector.copied(frames);
    return frames;
  }

  /** @param rows of so many cells each. @returns for each what stands in the place of its cells */
  async #reveal(
    { content, format }: Reading,
    count: number,
    rows: readonly CopyItem[],
  ): Promise<readonly (readonly (Buffer | undefined)[])[]> {
    if (count > MAX_COLUMNS) {
      if (this.#hasTokens) throw withheld();
      await this.#passed(rows.map((row) => encodeMessage(BACKEND.copyData, encodeItem(row))));
      return [];
    }
    const { isBinary } = format;
    const results = alignOutputs(content.outputs, count);
    if (lacksTokens(content.outputs, results)) throw withheld();
    const kinds = results.map((result) => ({ column: result?.column, isBinary }));
    const stored = rows.map(({ cells }) => cells.map((cell) => valueIn(format, cell)));
    const revealed = await this.#protector.rows(
      stored.map((values) => DATA_ROW.encode(values)),
      () => kinds,
    );
    if (kinds.every(({ column }) => column === undefined)) return [];
    return rows.map(({ cells }, at) => {
      const [values] = DATA_ROW.decode((revealed[at] ?? Buffer.alloc(0)).subarray(HEADER_BYTES));
      return cells.map((like, index) => {
        const [value, before] = [values[index], stored[at]?.[index]];
        if (!kinds[index]?.column || !value || !before || value.equals(before)) return undefined;
        return format.write(value, { like, isOnlyCell: count === 1 });
      });
    });
  }
}

function valueIn(format: CopyFormat, cell: Buffer): Buffer | null {
  const value = format.read(cell);
  return Buffer.isBuffer(value) ? value : null;
}

/** @returns what is complete, and what goes on as it is */
function read(reading: Reading, body: Buffer): { readonly items: readonly CopyItem[]; readonly rest: Buffer } {
  const items: CopyItem[] = [];
  const { reader } = reading;
  if (!reader) return { items, rest: body };
  try {
    for (const item of reader.push(body)) items.push(item);
    return { items, rest: Buffer.alloc(0) };
  } catch (error) {
    if (!(error instanceof SessionError)) throw error;
    reading.reader = undefined;
    return { items, rest: reader.rest() };
  }
}
