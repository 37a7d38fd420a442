/**
 * The made-up statements by which acra-server is asked about one column, so that it applies that column's configuration: a
 * plain INSERT of one or many rows to store, a comparison to search, a SELECT of each column as often as a row has cells of it. All are forms that acra-server 0.96.0 is
 * known to read (acra-server contract 4.4).
 */
import { identifier } from '../../postgres/sql-names.ts';
import type { EncryptedColumn } from '../encryptor-config/schema.ts';

/** So that few statements serve every number of cells; the rest of a row is NULL. Of Parse only names cost us anything. */
const ROW_SIZES = [1, 2, 4, 8, 16, 32, 64, 128] as const;
export type RowSize = (typeof ROW_SIZES)[number];
export const MAX_ROW_CELLS = 128;

export function rowSizeFor(cells: number): RowSize {
  return ROW_SIZES.find((size) => size >= cells) ?? MAX_ROW_CELLS;
}

/** Of a table that no configuration has. */
export const NO_COLUMN: EncryptedColumn = {
  table: 'acra_enclave_no_table',
  name: 'container',
  clientId: undefined,
  envelope: 'acrablock',
  reencryptsToAcraBlock: false,
  dataType: undefined,
  onFail: 'ciphertext',
  defaultValue: undefined,
  searchable: false,
  masking: undefined,
};

/** @param rows of one value each */
export function storeStatement({ table, name }: EncryptedColumn, rows = 1): string {
  const values = Array.from({ length: rows }, (_, at) => `($${at + 1})`);
  return `INSERT INTO ${identifier(table)} (${identifier(name)}) VALUES ${values.join(', ')}`;
}

export function searchStatement({ table, name }: EncryptedColumn): string {
  return `SELECT 1 FROM ${identifier(table)} WHERE ${identifier(name)} = $1`;
}

/** How often a row has a column. */
export interface RowColumn {
  readonly column: EncryptedColumn;
  readonly size: RowSize;
}

/** @param columns all of one table */
export function revealStatement(columns: readonly RowColumn[]): string {
  const names = columns.flatMap(({ column, size }) => Array<string>(size).fill(identifier(column.name)));
  return `SELECT ${names.join(', ')} FROM ${identifier(columns[0]?.column.table ?? '')}`;
}
