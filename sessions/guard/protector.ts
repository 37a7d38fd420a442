/**
 * Values protected and read by an engine (acra/engine/): the guard holds no data key. Only cells that the statement calls
 * protected, and that the row description does not contradict, are shown to the engine: what is stored elsewhere reaches the
 * application as it is stored.
 */
import { searchHashAt } from '../../acra/container.ts';
import { MIN_ENVELOPE_BYTES } from '../../acra/container-search.ts';
import type { CellKind, ValueProtector } from '../../acra/conversation/value-protector.ts';
import { databaseText, databaseTypeOf } from '../../acra/encryptor-config/database-type.ts';
import type { EncryptedColumn } from '../../acra/encryptor-config/schema.ts';
import type { AcraEngine } from '../../acra/engine/engine.ts';
import { NO_COLUMN } from '../../acra/engine/statements.ts';
import { isStoredForm } from '../../acra/engine/stored-form.ts';
import type { TokenExchange } from '../../acra/engine/token-exchange.ts';
import { EngineError } from '../../acra/errors.ts';
import type { ColumnForm } from '../../acra/own-settings.ts';
import type { LiteralEdit } from '../../acra/statements/draft.ts';
import { Refusal } from '../../acra/statements/refusal.ts';
import type { RefusalKind } from '../../acra/statements/refusal-kinds.ts';
import { isOfEach, type ValueUse } from '../../acra/statements/value-use.ts';
import { arrayBinary, arrayFromBinary, arrayFromText, arrayText } from '../../postgres/arrays.ts';
import { decodeBytea } from '../../postgres/bytea.ts';
import { DATA_ROW, HEADER_BYTES } from '../../postgres/messages.ts';
import { SessionError } from '../../postgres/session-error.ts';
import { storedFrom, textOf, tokenIn, valueFromBinary, valueFromText } from './column-values.ts';
import { Elsewhere, suspectCells } from './elsewhere.ts';
import type { GuardCounts } from './guard-counts.ts';
import type { ResultWatch } from './result-watch.ts';

type Engine = Pick<AcraEngine, 'protect' | 'keep' | 'searchHash' | 'reveal' | 'examine'> & {
  readonly tokens: Pick<TokenExchange, 'tokenFor' | 'valuesOf'>;
};

export interface ProtectorOptions {
  /** Told of what should not happen: the engine did not protect, or was lost, or has no tokens. */
  readonly onFailure: (error: EngineError) => void;
  /** Whether the engine looks for poison records. */
  readonly findsPoison: boolean;
  readonly watch: Pick<ResultWatch, 'elsewhere' | 'contradicted'>;
  /** Added to as it goes. */
  readonly counts: ValueCounts;
  /** `stored`: a value may be what was stored before, in bytea's text form or in binary. Default: decrypted. */
  readonly columnForm?: ColumnForm;
}

/** What a client is told: a state that PostgreSQL itself uses for the like. All else is a system error. */
const REFUSED_AS: Readonly<Partial<Record<string, readonly [RefusalKind, string]>>> = {
  ENGINE_BUSY: ['busy', '53000'],
  ENGINE_VALUE_TOO_LARGE: ['value-invalid', '54000'],
  ENGINE_VALUE_INVALID: ['value-invalid', '22003'],
  ENGINE_VALUE_FOREIGN: ['value-foreign', '22023'],
  ENGINE_TOKEN_MISSING: ['tokens', '58000'],
  ENGINE_TOKEN_UNKNOWN: ['tokens', '58000'],
};

type ValueCounts = GuardCounts['values'];

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
  readonly #options: ProtectorOptions;
  readonly #elsewhere: Elsewhere;

  constructor(engine: Engine, options: ProtectorOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#elsewhere = new Elsewhere({
      examine: options.findsPoison ? (containers) => this.#examine(containers) : undefined,
      onFound: (count) => options.watch.elsewhere(count),
    });
  }

  async literal({ use, value, token }: LiteralEdit): Promise<Buffer> {
    if (value.includes(REPLACEMENT) && !token.includes(REPLACEMENT)) {
      throw new Refusal('value-invalid', `the literal for column "${use.column.name}" is not UTF-8 text`, '22021');
    }
    if (isOfEach(use)) {
      const each = await this.#protectEach(use, Buffer.from(value), false);
      return Buffer.from(arrayText(each.map((stored) => stored && databaseText(use.column, stored))));
    }
    return this.#take(use, Buffer.from(value), false);
  }

  async parameter(use: ValueUse, value: Buffer | null, isBinary: boolean): Promise<Buffer | null> {
    if (value === null) return null;
    if (isOfEach(use))
      return arrayBinary(await this.#protectEach(use, value, isBinary), databaseTypeOf(use.column).oid);
    return this.#take(use, value, isBinary);
  }

  /** @param value an array */
  async #protectEach({ column, role }: ValueUse, value: Buffer, isBinary: boolean): Promise<(Buffer | null)[]> {
    const elements = elementsOf(value, isBinary);
    const use: ValueUse = { column, role: role === 'store-each' ? 'store' : 'search' };
    return Promise.all(elements.map((element) => this.parameter(use, element, isBinary)));
  }

  async rows(frames: readonly Buffer[], kindsOf: (cells: number) => readonly CellKind[]): Promise<readonly Buffer[]> {
    const read: Buffer[] = [];
    for (let at = 0; at < frames.length; ) {
      const cells = cellCount(frames[at]);
      const kinds = kindsOf(cells);
      const isPlain = kinds.every(({ column }) => column === undefined);
      let end = at + 1;
      while (end < frames.length && cellCount(frames[end]) === cells) end += 1;
      const isAll = at === 0 && end === frames.length;
      const same = isAll ? frames : frames.slice(at, end);
      this.#countContradictions(kinds, same.length);
      if (kinds.some(({ isWithheld }) => isWithheld)) throw withheld();
      if (isPlain) await this.#elsewhere.look(suspectCells(same));
      const answers = isPlain ? same : await this.#revealed(same, kinds);
      if (isAll) return answers;
      read.push(...answers);
      at = end;
    }
    return read;
  }

  async copied(frames: readonly Buffer[]): Promise<void> {
    await this.#elsewhere.look(frames.map((frame) => frame.subarray(HEADER_BYTES)));
  }

  #countContradictions(kinds: readonly CellKind[], rows: number): void {
    for (const { contradiction } of kinds) if (contradiction) this.#options.watch.contradicted(contradiction, rows);
  }

  /** @param frames of as many cells each as there are kinds */
  async #revealed(frames: readonly Buffer[], kinds: readonly CellKind[]): Promise<readonly Buffer[]> {
    const rows = frames.map((frame) => DATA_ROW.decode(frame.subarray(HEADER_BYTES))[0]);
    const columns = Map.groupBy(
      kinds.flatMap(({ column, isBinary }, index) => (column ? [{ column, isBinary, index }] : [])),
      ({ column }) => column,
    );
    const hidden = rows.flatMap((row) => row.filter((cell, index) => isLong(cell) && !kinds[index]?.column));
    const revealing = [...columns].map(([column, places]) => {
      const cells: Cell[] = [];
      for (const row of rows)
        for (const { index, isBinary } of places) {
          const cell = column.token ? tokenAt(column, row, index, isBinary) : cellAt(row, index, isBinary);
          if (cell) cells.push(cell);
          else hidden.push(row[index] ?? null);
        }
      return this.#revealInto(column, cells);
    });
    await Promise.all([...revealing, this.#elsewhere.look(hidden.filter(isLong))]);
    return rows.map((row) => DATA_ROW.encode(row));
  }

  /** One that is larger than any value is none that an operator would lay out as bait. */
  async #examine(containers: readonly Buffer[]): Promise<void> {
    await this.#ask(NO_COLUMN, undefined, 0, () =>
      this.#engine.examine(containers).catch((error: unknown) => {
        if (!(error instanceof EngineError) || error.code !== 'ENGINE_VALUE_TOO_LARGE') throw error;
      }),
    );
  }

  async #take(use: ValueUse, value: Buffer, isBinary: boolean): Promise<Buffer> {
    if (use.column.token && this.#options.columnForm === 'stored') throw notAsStored(use.column);
    const stored = this.#options.columnForm === 'stored' ? storedFrom(use.column, value, isBinary) : undefined;
    if (!stored)
      return this.#protect(use, isBinary ? valueFromBinary(use.column, value) : valueFromText(use.column, value));
    return isStoredForm(use.column, stored) ? this.#keep(use, stored) : this.#protect(use, stored);
  }

  /** What is compared is the hash before it. */
  async #keep({ column, role }: ValueUse, stored: Buffer): Promise<Buffer> {
    const kept = await this.#ask(column, 'encrypted', 1, () => this.#engine.keep(column, stored));
    return role === 'store' ? kept : (searchHashAt(kept) ?? kept);
  }

  /** An empty value is stored and found as it is. */
  #protect({ column, role }: ValueUse, value: Buffer): Promise<Buffer> {
    if (value.length === 0) return Promise.resolve(value);
    if (column.token) {
      const operation = role === 'store' ? 'encrypted' : 'hashed';
      return this.#ask(column, operation, 1, () => this.#engine.tokens.tokenFor(column, value));
    }
    if (role !== 'store') return this.#ask(column, 'hashed', 1, () => this.#engine.searchHash(column, value));
    return this.#ask(column, 'encrypted', 1, () => this.#engine.protect(column, value));
  }

  async #revealInto(column: EncryptedColumn, cells: readonly Cell[]): Promise<void> {
    const filled = cells.filter(({ stored }) => stored.length > 0);
    const stored = filled.map((cell) => cell.stored);
    const revealed =
      stored.length > 0
        ? await this.#ask(column, 'decrypted', stored.length, () =>
            column.token ? this.#engine.tokens.valuesOf(column, stored) : this.#engine.reveal(column, stored),
          )
        : [];
    const values = new Map(filled.map((cell, at) => [cell, revealed[at]]));
    for (const cell of cells) {
      const value = values.get(cell) ?? cell.stored;
      cell.row[cell.index] = cell.isBinary ? value : textOf(column, value);
    }
  }

  /** @throws Refusal */
  async #ask<Result>(
    { name, onFail }: EncryptedColumn,
    operation: keyof ValueCounts | undefined,
    count: number,
    ask: () => Promise<Result>,
  ): Promise<Result> {
    try {
      const answer = await ask();
      if (operation) this.#options.counts[operation] += count;
      return answer;
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      if (error.code === 'ENGINE_REFUSED' && onFail === 'error') {
        throw new Refusal('unreadable', `encoding error in column "${name}"`);
      }
      const refusedAs = REFUSED_AS[error.code];
      if (!refusedAs || refusedAs[0] === 'tokens') this.#options.onFailure(error);
      const [kind, sqlState] = refusedAs ?? ['engine'];
      throw new Refusal(kind, error.message, sqlState);
    }
  }
}

/** Whoever has columns as they are stored finds containers wherever he looks: none is counted. */
export function protectorsOf(engine: Engine, options: ProtectorOptions): Readonly<Record<ColumnForm, EngineProtector>> {
  const watch = { ...options.watch, elsewhere: () => undefined };
  return {
    decrypted: new EngineProtector(engine, options),
    stored: new EngineProtector(engine, { ...options, watch, columnForm: 'stored' }),
  };
}

/** Neither a client nor we could tell a token from a value. */
function withheld(): Refusal {
  const reason = 'a row of the database is not what the statement asks for, and a token in it would look like a value';
  return new Refusal('tokens', reason);
}

function notAsStored({ name }: EncryptedColumn): Refusal {
  const reason = `a value for column "${name}", which has tokens, cannot be told from a token in a session that has protected columns as they are stored`;
  return new Refusal('tokens', reason, '0A000');
}

/** @throws Refusal for what is no value of its type, which would be taken for one */
function tokenAt(column: EncryptedColumn, row: (Buffer | null)[], index: number, isBinary: boolean): Cell | undefined {
  const cell = row[index];
  if (!cell) return undefined;
  const stored = tokenIn(column, cell, isBinary);
  if (stored) return { row, index, stored, isBinary };
  throw new Refusal('tokens', `what is stored in column "${column.name}" is no token of its type`);
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

const isLong = (cell: Buffer | null): cell is Buffer => cell !== null && cell.length >= MIN_ENVELOPE_BYTES;

function cellCount(frame: Buffer | undefined): number {
  return 256 * (frame?.[HEADER_BYTES] ?? 0) + (frame?.[HEADER_BYTES + 1] ?? 0);
}

/** Of a cell that may hold a container: not NULL, and in text format a valid bytea. An empty one has a text form of its own (`\x`). */
function cellAt(row: (Buffer | null)[], index: number, isBinary: boolean): Cell | undefined {
  const cell = row[index];
  if (!cell) return undefined;
  const stored = isBinary ? cell : decodeBytea(cell);
  return stored && { row, index, stored, isBinary };
}
