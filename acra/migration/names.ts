/** What a migration calls what it makes in the database (decision 21), and how SQL writes a name. */
import { identifier, uniqueIndexName } from '../belts/names.ts';
import type { Migration } from './migration.ts';
import { triggerOf } from './migration.ts';

/** Names as PostgreSQL stores them. */
export interface MigratedTable {
  readonly schema: string;
  readonly migration: Migration;
}

/** NAMEDATALEN, without the zero at its end. PostgreSQL cuts what is longer, so that one that is looked for must be cut, too. */
const MAX_NAME_BYTES = 63;

export const tableName = ({ schema, migration }: MigratedTable) =>
  `${identifier(schema)}.${identifier(migration.table)}`;

/** As PostgreSQL cuts it: between characters. */
function cutName(name: string): string {
  const bytes = Buffer.from(name);
  if (bytes.length <= MAX_NAME_BYTES) return name;
  let end = MAX_NAME_BYTES;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}

/** Of the trigger and of its function. */
export const triggerName = (migration: Migration) => cutName(triggerOf(migration));

/** An index on the rows that are not filled yet: without it the last look, under the lock, would read the whole table. */
export const restIndexName = ({ table, column }: Migration) => cutName(`zz_acra_enclave_rest_${table}_${column}`);

/** Of a searchable column, on its hash; where it is unique, as `guard ddl` calls it. */
export const hashIndexName = ({ table, column }: Migration, isUnique: boolean) =>
  isUnique ? uniqueIndexName(table, [column]) : cutName(`acra_hash_${table}_${column}`);

/** Of a column that is NOT NULL, from the switch until that is proved. */
export const notNullName = ({ table, column }: Migration) => cutName(`zz_acra_enclave_some_${table}_${column}`);
