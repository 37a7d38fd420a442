/**
 * Values protected and read by an engine (acra/engine/): the guard holds no data key. Only cells that the statement calls
 * protected, and that the row description does not contradict, are shown to the engine: what is stored elsewhere reaches the
 * application as it is stored.
 */
import type { CellKind, ValueProtector } from '../../acra/conversation/value-protector.ts';
import type { EncryptedColumn } from '../../acra/encryptor-config/schema.ts';
import type { AcraEngine } from '../../acra/engine/engine.ts';
import { EngineError } from '../../acra/errors.ts';
import type { LiteralEdit } from '../../acra/statements/draft.ts';
import { Refusal } from '../../acra/statements/refusal.ts';
import type { RefusalKind } from '../../acra/statements/refusal-kinds.ts';
import { isOfEach, type ValueUse } from '../../acra/statements/value-use.ts';
import { arrayFromBinary, arrayFromText, byteaArray, byteaArrayText } from '../../postgres/arrays.ts';
import { decodeBytea } from '../../postgres/bytea.ts';
import { DATA_ROW, HEADER_BYTES } from '../../postgres/messages.ts';
import { SessionError } from '../../postgres/session-error.ts';
import { textOf, valueFromBinary, valueFromText } from './column-values.ts';

type Engine = Pick<AcraEngine, 'protect' | 'searchHash' | 'reveal'>;

/** What a client is told: a state that PostgreSQL itself uses for the like. All else is a system error. */
const REFUSED_AS: Readonly<Partial<Record<string, readonly [RefusalKind, string]>>> = {
  ENGINE_BUSY: ['busy', '53000'],
  ENGINE_VALUE_TOO_LARGE: ['value-invalid', '54000'],
  ENGINE_VALUE_INVALID: ['value-invalid', '22003'],
  ENGINE_VALUE_FOREIGN: ['value-foreign', '22023'],
};

/** In a text that is not UTF-8, which E'\xff' can make. */
const REPLACEMENT = '\ufffd';

interface Cell {
  readonly row: (Buffer | null)[];
  readonly index: number;
  readonly stored: Buffer;
  readonly isBinary: boolean;
}

export class EngineProtector implements ValueProtector {
  readonly #engine: Engine;
  readonly #onFailure: (error: EngineError) => void;

  /** @param onFailure told of what should not happen: the engine did not protect, or was lost */
  constructor(engine: Engine, onFailure: (error: EngineError) => void) {
    this.#engine = engine;
    this.#onFailure = onFailure;
  }

  async literal({ use, value, token }: LiteralEdit): Promise<Buffer> {
    if (value.includes(REPLACEMENT) && !token.includes(REPLACEMENT)) {
      throw new Refusal('value-invalid', `the literal for column "${use.column.name}" is not UTF-8 text`, '22021');
    }
    if (isOfEach(use)) return Buffer.from(byteaArrayText(await this.#protectEach(use, Buffer.from(value), false)));
    return this.#protect(use, valueFromText(use.column, Buffer.from(value)));
  }

  async parameter(use: ValueUse, value: Buffer | null, isBinary: boolean): Promise<Buffer | null> {
    if (value === null) return null;
    if (isOfEach(use)) return byteaArray(await this.#protectEach(use, value, isBinary));
    return this.#protect(use, isBinary ? valueFromBinary(use.column, value) : valueFromText(use.column, value));
  }

  /** @param value an array */
  async #protectEach({ column, role }: ValueUse, value: Buffer, isBinary: boolean): Promise<(Buffer | null)[]> {
    const elements = elementsOf(value, isBinary);
    const use: ValueUse = { column, role: role === 'store-each' ? 'store' : 'search' };
    return Promise.all(elements.map((element) => this.parameter(use, element, isBinary)));
  }

  async rows(frames: readonly Buffer[], kindsOf: (cells: number) => readonly CellKind[]): Promise<readonly Buffer[]> {
    const kinds = kindsOf(cellCount(frames[0]));
    if (kinds.every(({ column }) => column === undefined)) return frames;
    const rows = frames.map((frame) => DATA_ROW.decode(frame.subarray(HEADER_BYTES))[0]);
    const columns = Map.groupBy(
      kinds.flatMap(({ column, isBinary }, index) => (column ? [{ column, isBinary, index }] : [])),
      ({ column }) => column,
    );
    await Promise.all(
      [...columns].map(([column, places]) =>
        this.#revealInto(
          column,
          rows.flatMap((row) => places.flatMap(({ index, isBinary }) => cellAt(row, index, isBinary))),
        ),
      ),
    );
    return rows.map((row) => DATA_ROW.encode(row));
  }

  /** An empty value is stored and found as it is. */
  #protect({ column, role }: ValueUse, value: Buffer): Promise<Buffer> {
    if (value.length === 0) return Promise.resolve(value);
    return this.#ask(column, () =>
      role === 'store' ? this.#engine.protect(column, value) : this.#engine.searchHash(column, value),
    );
  }

  async #revealInto(column: EncryptedColumn, cells: readonly Cell[]): Promise<void> {
    const filled = cells.filter(({ stored }) => stored.length > 0);
    const stored = filled.map((cell) => cell.stored);
    const revealed = stored.length > 0 ? await this.#ask(column, () => this.#engine.reveal(column, stored)) : [];
    const values = new Map(filled.map((cell, at) => [cell, revealed[at]]));
    for (const cell of cells) {
      const value = values.get(cell) ?? cell.stored;
      cell.row[cell.index] = cell.isBinary ? value : textOf(column, value);
    }
  }

  /** @throws Refusal */
  async #ask<Result>({ name, onFail }: EncryptedColumn, ask: () => Promise<Result>): Promise<Result> {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      if (error.code === 'ENGINE_REFUSED' && onFail === 'error') {
        throw new Refusal('unreadable', `encoding error in column "${name}"`);
      }
      const refusedAs = REFUSED_AS[error.code];
      if (!refusedAs) this.#onFailure(error);
      const [kind, sqlState] = refusedAs ?? ['engine'];
      throw new Refusal(kind, error.message, sqlState);
    }
  }
}

/** @throws Refusal */
function elementsOf(value: Buffer, isBinary: boolean): (Buffer | null)[] {
  try {
    return isBinary ? arrayFromBinary(value) : arrayFromText(value);
  } catch (error) {
    if (error instanceof SessionError) throw new Refusal('value-invalid', error.message, error.sqlState);
    throw error;
  }
}

function cellCount(frame: Buffer | undefined): number {
  return frame && frame.length >= HEADER_BYTES + 2 ? frame.readUInt16BE(HEADER_BYTES) : 0;
}

/** Of a cell that may hold a container: not NULL, and in text format a valid bytea. An empty one has a text form of its own (`\x`). */
function cellAt(row: (Buffer | null)[], index: number, isBinary: boolean): Cell[] {
  const cell = row[index];
  if (!cell) return [];
  const stored = isBinary ? cell : decodeBytea(cell);
  return stored ? [{ row, index, stored, isBinary }] : [];
}
