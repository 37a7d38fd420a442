/**
 * Encrypts values of several rows anew: they are read opened, where each row is still as it was, and given back where it still is. So a
 * row that somebody else changes meanwhile keeps what he wrote. What is stored then must read as before, or nothing of it stays.
 */
import { tableName } from '../../../acra/migration/names.ts';
import { identifier } from '../../../postgres/sql-names.ts';
import { type Cell, type Connection, type Row, run } from '../connection.ts';
import { failureOf, sqlStateOf } from '../failures.ts';
import { LONG } from '../long-cells.ts';
import { ALIAS, column, from, keyArrays, keyList, keyOf, rowsOfArrays, sameKey } from '../table.ts';
import { valueTypeOf } from '../value-type.ts';
import type { Left, OldCell, OldRow, Rewriting } from './rewriting.ts';
import { doubtOf } from './stored-value.ts';

export interface Rewritten {
  /** Values. */
  readonly written: number;
  /** Rows that somebody changed, or that are left for another turn. */
  readonly changed: number;
  readonly left: readonly Left[];
  /** Their opened form is too long to be among others. */
  readonly long: readonly OldRow[];
}

/** A row of several that cannot be written: each is tried by itself. */
export class RowFault extends Error {}

interface OpenedRow extends OldRow {
  /** Of the columns of `cells`, in their order. */
  readonly opened: readonly Cell[];
}

const textOf = (key: readonly Cell[]) => JSON.stringify(key);
const namesOf = (cells: readonly OldCell[]) => cells.map(({ of }) => of.name);
const VERSION = { type: 'text', name: 'version' } as const;

/** @param rows with the same columns */
async function readOpened({ table }: Rewriting, opened: Connection, rows: readonly OldRow[]): Promise<OpenedRow[]> {
  const [first] = rows;
  if (!first) return [];
  const given = new Map(rows.map((row) => [textOf(row.key), row]));
  const names = namesOf(first.cells).map(column).join(', ');
  const sql = `SELECT ${keyList(table)}, ${names} FROM ${from(table)} JOIN ${rowsOfArrays(table, [VERSION])} ON ${sameKey(table)} AND ${ALIAS}.xmin::text = v.version`;
  const keys = keyArrays(
    table,
    rows.map(({ key }) => key),
  );
  const found: OpenedRow[] = [];
  await opened.each(sql, [...keys, rows.map(({ version }) => version)], (row) => {
    const old = given.get(textOf(keyOf(table, row)));
    if (old) found.push({ ...old, opened: row.slice(table.key.length) });
  });
  return found;
}

function updateText({ table }: Rewriting, cells: readonly OldCell[]): string {
  const given = rowsOfArrays(table, [
    VERSION,
    ...cells.map(({ of }, at) => ({ type: valueTypeOf(of), name: `c${at + 1}` })),
  ]);
  const set = cells.map(({ of }, at) => `${identifier(of.name)} = v.c${at + 1}`).join(', ');
  return `UPDATE ${tableName(table)} AS ${ALIAS} SET ${set} FROM ${given} WHERE ${sameKey(table)} AND ${ALIAS}.xmin::text = v.version
    RETURNING ${keyList(table)}, ${namesOf(cells).map(column).join(', ')}`;
}

/** @returns how many rows were written, and whether one of them reads otherwise */
async function update(rewriting: Rewriting, opened: Connection, rows: readonly OpenedRow[], cells: readonly OldCell[]) {
  const { table } = rewriting;
  const given = new Map(rows.map((row) => [textOf(row.key), row.opened]));
  const keys = keyArrays(
    table,
    rows.map(({ key }) => key),
  );
  const values = cells.map((_, at) => rows.map((row) => row.opened[at] ?? null));
  let [count, isSame] = [0, true];
  const check = (row: Row) => {
    count += 1;
    isSame &&= textOf(row.slice(table.key.length)) === textOf(given.get(textOf(keyOf(table, row))) ?? []);
  };
  const versions = rows.map(({ version }) => version);
  await opened.each(updateText(rewriting, cells), [...keys, versions, ...values], check);
  return { count, isSame };
}

async function store(rewriting: Rewriting, opened: Connection, rows: readonly OpenedRow[], cells: readonly OldCell[]) {
  await run(opened, 'BEGIN ISOLATION LEVEL READ COMMITTED');
  try {
    const updated = await update(rewriting, opened, rows, cells);
    await run(opened, updated.isSame ? 'COMMIT' : 'ROLLBACK');
    return updated;
  } catch (error) {
    if (failureOf(error) !== 'lost') await run(opened, 'ROLLBACK');
    throw error;
  }
}

/** acra-server may have been away for one of them. */
const ATTEMPTS_OF_ONE = 3;

/** Rows that differ in nothing but their keys. @throws RowFault where there are several */
async function storeOrName(rewriting: Rewriting, opened: Connection, rows: readonly OpenedRow[]): Promise<Rewritten> {
  const [first] = rows;
  if (!first) return NOTHING;
  const named = (fault: Left['fault']): Rewritten => {
    if (rows.length > 1) throw new RowFault(fault);
    return { ...NOTHING, left: first.cells.map(({ of }) => ({ column: of.name, key: first.key, fault })) };
  };
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { count, isSame } = await store(rewriting, opened, rows, first.cells);
      if (!isSame) return named('differs');
      const written = count * first.cells.length;
      rewriting.wrote(written);
      return { ...NOTHING, written, changed: rows.length - count };
    } catch (error) {
      const failure = failureOf(error);
      if (failure !== 'row' && failure !== 'engine') throw error;
      if (failure === 'row' || rows.length > 1 || attempt === ATTEMPTS_OF_ONE) return named(faultOf(error));
    }
  }
}

const faultOf = (error: unknown): Left['fault'] => (sqlStateOf(error) === undefined ? 'unreadable' : 'refused');

export const NOTHING: Rewritten = { written: 0, changed: 0, left: [], long: [] };

export const sumOf = (one: Rewritten, other: Rewritten): Rewritten => ({
  written: one.written + other.written,
  changed: one.changed + other.changed,
  left: [...one.left, ...other.left],
  long: [...one.long, ...other.long],
});

/** Cells that may be given back, and those that may not. */
function judged(rows: readonly OpenedRow[]) {
  const left: Left[] = [];
  const long: OldRow[] = [];
  const fit: OpenedRow[] = [];
  for (const row of rows) {
    if (row.opened.includes(LONG)) {
      long.push(row);
      continue;
    }
    const kept = row.cells.flatMap((cell, at) => {
      const opened = row.opened[at] ?? null;
      const fault = opened === null ? 'foreign' : doubtOf(cell.of, cell.value, cell.stored, opened);
      if (fault) left.push({ column: cell.of.name, key: row.key, fault });
      return fault ? [] : [{ cell, opened }];
    });
    if (kept.length > 0)
      fit.push({ ...row, cells: kept.map(({ cell }) => cell), opened: kept.map(({ opened }) => opened) });
  }
  return { fit, left, long };
}

const byColumns = <Given extends OldRow>(rows: readonly Given[]) =>
  Map.groupBy(rows, ({ cells }) => textOf(namesOf(cells))).values();

/** @throws RowFault where one of several cannot be written; what a session says */
export async function rewriteRows(
  rewriting: Rewriting,
  opened: Connection,
  rows: readonly OldRow[],
): Promise<Rewritten> {
  let sum = NOTHING;
  for (const same of byColumns(rows)) {
    const read = await readOpened(rewriting, opened, same);
    const { fit, left, long } = judged(read);
    sum = sumOf(sum, { ...NOTHING, changed: same.length - read.length, left, long });
    for (const alike of byColumns(fit)) sum = sumOf(sum, await storeOrName(rewriting, opened, alike));
  }
  return sum;
}
