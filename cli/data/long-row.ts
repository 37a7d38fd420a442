/** A row whose value is too long for a batch, by itself: read, stored and read back as bytes, of which there is one copy. */
import { tableName } from '../../acra/migration/names.ts';
import { identifier } from '../../postgres/sql-names.ts';
import type { Cell, Connection, Row } from './connection.ts';
import { LONG } from './long-cells.ts';
import { Comparison, type LongValue } from './long-value.ts';
import { ALIAS, column, from, type Key, type KeyedTable, keyEqual, keyOf } from './table.ts';

export const hasLongCell = (row: Row): boolean => row.includes(LONG);

/** The cells behind the key: its version, and the value. */
const versionOf = ({ key }: KeyedTable, row: Row): Cell => row[key.length] ?? null;

const condition = (table: KeyedTable, first: number) =>
  `${keyEqual(table, first)} AND ${ALIAS}.xmin::text = $${first + table.key.length} AND ${column(table.migration.beside)} IS NULL`;

/** @returns whether the row is still as it was read */
export async function readLong(table: KeyedTable, connection: Connection, row: Row, into: LongValue): Promise<boolean> {
  const sql = `SELECT ${column(table.migration.column)} FROM ${from(table)} WHERE ${condition(table, 1)}`;
  return (await connection.cell(sql, [...keyOf(table, row), versionOf(table, row)], into)) === 'value';
}

/** @param differs called where it reads otherwise than it was given @returns how many rows were stored: 0 or 1 */
export async function updateLong(
  table: KeyedTable,
  connection: Connection,
  row: Row,
  value: Buffer,
  differs: (key: Key) => never,
): Promise<number> {
  const beside = table.migration.beside;
  const sql = `UPDATE ${tableName(table)} AS ${ALIAS} SET ${identifier(beside)} = $1 WHERE ${condition(table, 2)} RETURNING ${column(beside)}`;
  const readBack = new Comparison(value);
  const key = keyOf(table, row);
  const seen = await connection.cell(sql, [value, ...key, versionOf(table, row)], readBack);
  if (seen !== undefined && !readBack.isSame) differs(key);
  return seen === undefined ? 0 : 1;
}
