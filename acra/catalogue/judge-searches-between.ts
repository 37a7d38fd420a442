/** `uniqueSearches` while rows are being encrypted (decision 21): applications name the column, and the index is on the hash of the one beside it. */

import { byCodeUnits } from '../../runtime/code-units.ts';
import type { EncryptedTable } from '../encryptor-config/schema.ts';
import type { Migration } from '../migration/migration.ts';
import { searchedColumns } from '../statements/policy.ts';
import type { Catalogue } from './catalogue.ts';
import { tablesNow } from './judge-migrations.ts';
import { type JudgedSearches, judgeSearches } from './judge-searches.ts';
import { searchEntry } from './unique-searches.ts';

type Tables = ReadonlyMap<string, EncryptedTable>;

/** @param rename a name of a column that the table has */
function renamed(entry: string, tables: Tables, rename: (table: string, column: string) => string): string {
  for (const { name } of tables.values()) {
    const columns = searchedColumns(entry, name);
    if (columns.length > 0)
      return searchEntry(
        name,
        columns.map((column) => rename(name, column)),
      );
  }
  return entry;
}

/** @param tables with protected columns @param present entries of the list that there is */
export function judgeSearchesBetween(
  catalogue: Catalogue,
  tables: Tables,
  present: readonly string[],
  migrations: readonly Migration[],
): JudgedSearches {
  if (migrations.length === 0) return judgeSearches(catalogue, tables, present);
  const now = tablesNow(catalogue, tables, migrations);
  const plain = migrations.filter(({ table, beside }) => now.get(table)?.encrypted.has(beside));
  const inward = (table: string, column: string) =>
    plain.find((each) => each.table === table && each.column === column)?.beside ?? column;
  const outward = (table: string, column: string) =>
    plain.find((each) => each.table === table && each.beside === column)?.column ?? column;
  const { uniqueSearches, findings } = judgeSearches(
    catalogue,
    now,
    present.map((entry) => renamed(entry, tables, inward)),
  );
  return { uniqueSearches: uniqueSearches.map((entry) => renamed(entry, tables, outward)).sort(byCodeUnits), findings };
}
