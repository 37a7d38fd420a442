/**
 * Stores the protected form of some rows' values, where each row is still as it was read, and reads back what was stored. PostgreSQL looks
 * at the condition once more where it had to wait for another's change (18, "Read Committed"), so that a row that changed is left alone.
 */

import { shown } from '../../acra/catalogue/labels.ts';
import { tableName } from '../../acra/migration/names.ts';
import { identifier } from '../../postgres/sql-names.ts';
import { CliError } from '../errors.ts';
import { type Cell, type Connection, type Row, run } from './connection.ts';
import { failureOf, sqlStateOf } from './failures.ts';
import { hasLongCell, readLong, updateLong } from './long-row.ts';
import type { LongValue } from './long-value.ts';
import { ALIAS, column, type Key, type KeyedTable, keyArrays, keyList, keyOf, rowsOfArrays, sameKey } from './table.ts';
import type { ValueType } from './value-type.ts';

export interface Filling {
  readonly table: KeyedTable;
  /** Of the arrays that values go in. */
  readonly valueType: ValueType;
  /** For one after the other. */
  readonly long: LongValue;
}

/** A row that cannot be encrypted. */
export interface RefusedRow {
  readonly key: Key;
  readonly sqlState: string;
}

export interface Stored {
  readonly stored: number;
  /** Somebody changed them meanwhile: they come again. */
  readonly changed: number;
  readonly refused: readonly RefusedRow[];
}

/** Behind the key, as pages are read. */
export const FILL_COLUMNS = ({ table }: Filling): readonly string[] => [
  `${ALIAS}.xmin::text`,
  column(table.migration.column),
];

export const restCondition = ({ migration }: KeyedTable) =>
  `${column(migration.column)} IS NOT NULL AND ${column(migration.beside)} IS NULL`;

function updateText({ table, valueType }: Filling): string {
  const beside = table.migration.beside;
  const given = rowsOfArrays(table, [
    { type: 'text', name: 'version' },
    { type: valueType, name: 'value' },
  ]);
  return `UPDATE ${tableName(table)} AS ${ALIAS} SET ${identifier(beside)} = v.value FROM ${given}
    WHERE ${sameKey(table)} AND ${ALIAS}.xmin::text = v.version AND ${column(beside)} IS NULL
    RETURNING ${keyList(table)}, ${column(beside)}`;
}

const textOf = (key: Key) => JSON.stringify(key);
export const shownKey = (key: Key) => key.map((cell) => shown(cell ?? 'NULL')).join(', ');

function differs(key: Key): never {
  throw new CliError('CLI_DATA_DIFFERS', 'a value reads otherwise than it was given', {
    found: `row ${shownKey(key)}`,
  });
}

/** @throws CliError CLI_DATA_DIFFERS, with nothing of it committed where the caller rolls back */
async function update(filling: Filling, connection: Connection, rows: readonly Row[]): Promise<number> {
  const { table } = filling;
  const at = table.key.length;
  const given = new Map(rows.map((row) => [textOf(keyOf(table, row)), row[at + 1]]));
  const columnOf = (index: number): Cell[] => rows.map((row) => row[index] ?? null);
  const keys = keyArrays(
    table,
    rows.map((row) => keyOf(table, row)),
  );
  let stored = 0;
  let different: Key | undefined;
  await connection.each(updateText(filling), [...keys, columnOf(at), columnOf(at + 1)], (row) => {
    const key = keyOf(table, row);
    if (given.get(textOf(key)) !== row[at]) different ??= key;
    stored += 1;
  });
  return different ? differs(different) : stored;
}

const SAVEPOINT = 'acra_enclave_rows';

/** Undoes what an attempt did, alone or inside the caller's transaction. */
async function attempt(
  filling: Filling,
  connection: Connection,
  rows: readonly Row[],
  isInside: boolean,
  end: 'COMMIT' | 'ROLLBACK' = 'COMMIT',
) {
  await run(connection, isInside ? `SAVEPOINT ${SAVEPOINT}` : 'BEGIN ISOLATION LEVEL READ COMMITTED');
  try {
    const [first] = rows;
    const isLong = first !== undefined && hasLongCell(first);
    const stored = isLong
      ? await updateLong(filling.table, connection, first, filling.long.bytes, differs)
      : await update(filling, connection, rows);
    const inside = end === 'COMMIT' ? `RELEASE SAVEPOINT ${SAVEPOINT}` : `ROLLBACK TO SAVEPOINT ${SAVEPOINT}`;
    await run(connection, isInside ? inside : end);
    return stored;
  } catch (error) {
    if (failureOf(error) !== 'lost')
      await run(connection, isInside ? `ROLLBACK TO SAVEPOINT ${SAVEPOINT}` : 'ROLLBACK');
    throw error;
  }
}

const ATTEMPTS_OF_ONE = 3;

const NOTHING: Stored = { stored: 0, changed: 0, refused: [] };
const sumOf = (one: Stored, other: Stored): Stored => ({
  stored: one.stored + other.stored,
  changed: one.changed + other.changed,
  refused: [...one.refused, ...other.refused],
});

/** What PostgreSQL says of what is longer than it takes (54000, program_limit_exceeded), as the guard does. */
const TOO_LONG = '54000';

/**
 * @param isInside the connection is in a transaction already
 * @throws CliError CLI_DATA_DIFFERS; what is no fault of a row
 */
export async function store(
  filling: Filling,
  connection: Connection,
  rows: readonly Row[],
  isInside = false,
): Promise<Stored> {
  const short = rows.filter((row) => !hasLongCell(row));
  let sum = short.length > 0 ? await storeRows(filling, connection, short, isInside) : NOTHING;
  for (const row of rows.filter(hasLongCell)) sum = sumOf(sum, await storeLong(filling, connection, row, isInside));
  return sum;
}

async function storeLong(filling: Filling, connection: Connection, row: Row, isInside: boolean): Promise<Stored> {
  const { table, long } = filling;
  try {
    if (!(await readLong(table, connection, row, long))) return { ...NOTHING, changed: 1 };
    if (long.isTooLong) return { ...NOTHING, refused: [{ key: keyOf(table, row), sqlState: TOO_LONG }] };
    return await storeRows(filling, connection, [row], isInside);
  } finally {
    long.clear();
  }
}

/** Halves what is refused until the rows are found that it is for. @param rows short ones, or one */
async function storeRows(
  filling: Filling,
  connection: Connection,
  rows: readonly Row[],
  isInside: boolean,
): Promise<Stored> {
  for (let count = 1; ; count += 1) {
    try {
      const stored = await attempt(filling, connection, rows, isInside);
      return { stored, changed: rows.length - stored, refused: [] };
    } catch (error) {
      const failure = failureOf(error);
      if (failure !== 'row' && failure !== 'engine') throw error;
      const [first] = rows;
      if (rows.length > 1 && failure === 'engine') await requireEngine(filling, connection, rows, isInside);
      if (rows.length > 1) return await storeHalves(filling, connection, rows, isInside);
      const refused = first && { key: keyOf(filling.table, first), sqlState: sqlStateOf(error) ?? '' };
      if (count === ATTEMPTS_OF_ONE || sqlStateOf(error) !== '58000')
        return { stored: 0, changed: 0, refused: refused ? [refused] : [] };
    }
  }
}

/** An acra-server that takes no value at all is no fault of the rows, and each try takes as long as the enclave waits for it. @throws its error */
async function requireEngine(filling: Filling, connection: Connection, rows: readonly Row[], isInside: boolean) {
  const at = filling.table.key.length + 1;
  const [shortest] = rows.toSorted((one, other) => (one[at]?.length ?? 0) - (other[at]?.length ?? 0));
  if (!shortest) return;
  await attempt(filling, connection, [shortest], isInside, 'ROLLBACK').catch((error: unknown) => {
    if (failureOf(error) !== 'row') throw error;
  });
}

async function storeHalves(
  filling: Filling,
  connection: Connection,
  rows: readonly Row[],
  isInside: boolean,
): Promise<Stored> {
  const middle = rows.length >>> 1;
  const first = await storeRows(filling, connection, rows.slice(0, middle), isInside);
  return sumOf(first, await storeRows(filling, connection, rows.slice(middle), isInside));
}
