/** What a migration calls what it makes in the database (decision 21). */
import { identifier } from '../../postgres/sql-names.ts';
import { nameWithDigest, uniqueIndexName } from '../belts/names.ts';
import type { Migration } from './migration.ts';

/** Names as PostgreSQL stores them. */
export interface MigratedTable {
  readonly schema: string;
  readonly migration: Migration;
}

export const tableName = ({ schema, migration }: MigratedTable) =>
  `${identifier(schema)}.${identifier(migration.table)}`;

/** Functions and indexes have one namespace for the tables of a schema. */
const nameFor = (prefix: string, { table, column }: Migration) => nameWithDigest(prefix, [table, column]);

/** Of the trigger that empties `beside` whenever `column` or itself changes, and of its function. Triggers come in the order of their names: this is the last. */
export const triggerName = (migration: Migration) => nameFor('zz_acra_enclave', migration);

/** Of the one that empties `beside` in a new row, by the same function. */
export const insertTriggerName = (migration: Migration) => nameFor('zz_acra_enclave_new', migration);

/** Both, in their order. */
export const triggerNames = (migration: Migration): readonly string[] => [
  triggerName(migration),
  insertTriggerName(migration),
];

/** An index on the rows that are not filled yet: without it the last look, under the lock, would read the whole table. */
export const restIndexName = (migration: Migration) => nameFor('zz_acra_enclave_rest', migration);

/** Of a searchable column, on its hash; where it is unique, as `guard ddl` calls it. */
export const hashIndexName = (migration: Migration, isUnique: boolean) =>
  isUnique ? uniqueIndexName(migration.table, [migration.column]) : nameFor('acra_hash', migration);

/** Of a column that is NOT NULL, from the switch until that is proved. */
export const notNullName = (migration: Migration) => nameFor('zz_acra_enclave_some', migration);
