/** Unique indexes on search hashes, for ON CONFLICT and as the only way to keep values of a protected column unique (acra-server contract 4.3). */

import { identifier } from '../../postgres/sql-names.ts';
import type { EncryptedTable } from '../encryptor-config/schema.ts';
import { searchedColumns } from '../statements/policy.ts';
import { uniqueIndexName } from './names.ts';

const HASH_BYTES = 33;

/** @param entry as `uniqueSearches` of guard.list has it. @returns none where it is of another table */
export function uniqueIndex(schema: string, table: EncryptedTable, entry: string): string | undefined {
  const columns = searchedColumns(entry, table.name);
  if (columns.length === 0) return undefined;
  const keys = columns.map((name) =>
    table.encrypted.has(name) ? `pg_catalog.substr(${identifier(name)}, 1, ${HASH_BYTES})` : identifier(name),
  );
  const name = identifier(uniqueIndexName(table.name, columns));
  const relation = `${identifier(schema)}.${identifier(table.name)}`;
  return `CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ${name}\n  ON ${relation} (${keys.join(', ')});`;
}
