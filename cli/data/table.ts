/** A table as the statements of the tool name it: its key, its column, and the parts of SQL that are the same in several. */

import { type MigratedTable, tableName } from '../../acra/migration/names.ts';
import { identifier } from '../../postgres/sql-names.ts';
import type { Cell, Row } from './connection.ts';

interface KeyColumn {
  readonly name: string;
  /** As a cast writes it. */
  readonly type: string;
}

export interface KeyedTable extends MigratedTable {
  /** The primary key, in its order; at least one. */
  readonly key: readonly KeyColumn[];
}

/** The cells of the key, in its order. */
export type Key = readonly Cell[];

export const ALIAS = 't';

export const column = (name: string) => `${ALIAS}.${identifier(name)}`;
export const from = (table: MigratedTable) => `${tableName(table)} AS ${ALIAS}`;
export const keyList = ({ key }: KeyedTable) => key.map(({ name }) => column(name)).join(', ');

/** A comparison of rows, which an index on the key answers. @param first number of the first parameter */
export function keyCompared({ key }: KeyedTable, operator: '>' | '<=', first: number): string {
  const parameters = key.map(({ type }, index) => `$${first + index}::${type}`).join(', ');
  return `(${key.map(({ name }) => column(name)).join(', ')}) ${operator} (${parameters})`;
}

/** Of one row. @param first number of the first parameter */
export const keyEqual = ({ key }: KeyedTable, first: number) =>
  key.map(({ name, type }, index) => `${column(name)} = $${first + index}::${type}`).join(' AND ');

export const keyOf = ({ key }: KeyedTable, row: Row): Key => row.slice(0, key.length);

/** Arrays, one a column of the key, and more behind them, as rows named v. Keys come as text: the guard follows arrays of PostgreSQL's own types only. @param rest types and names of what follows the key */
export function rowsOfArrays({ key }: KeyedTable, rest: readonly { readonly type: string; readonly name: string }[]) {
  const columns = [...key.map((_, index) => ({ type: 'text', name: `k${index + 1}` })), ...rest];
  const arrays = columns.map(({ type }, index) => `$${index + 1}::${type}[]`).join(', ');
  return `unnest(${arrays}) AS v(${columns.map(({ name }) => name).join(', ')})`;
}

export const sameKey = ({ key }: KeyedTable) =>
  key.map(({ name, type }, index) => `${column(name)} = v.k${index + 1}::${type}`).join(' AND ');

/** @param keys as many as there are rows @returns one list a column */
export const keyArrays = ({ key }: KeyedTable, keys: readonly Key[]): Cell[][] =>
  key.map((_, index) => keys.map((each) => each[index] ?? null));
