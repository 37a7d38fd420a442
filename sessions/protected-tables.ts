/**
 * The tables of the encryptor configuration as a guard is told them: the supervisor has read the file and checked it, and a channel
 * carries JSON, which has no maps.
 */
import type { EncryptedColumn, EncryptedTable } from '../acra/encryptor-config/schema.ts';

type Tables = ReadonlyMap<string, EncryptedTable>;

export interface ToldTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly encrypted: readonly EncryptedColumn[];
}

export function tellTables(tables: Tables): ToldTable[] {
  return [...tables.values()].map((table) => ({ ...table, encrypted: [...table.encrypted.values()] }));
}

export function readTables(told: readonly ToldTable[]): Tables {
  const byName = (columns: readonly EncryptedColumn[]) => new Map(columns.map((column) => [column.name, column]));
  return new Map(told.map((table) => [table.name, { ...table, encrypted: byName(table.encrypted) }]));
}
