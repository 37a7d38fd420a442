/**
 * What a table gets before its rows are encrypted (decision 21): a column beside, what keeps it from holding anything but containers, the
 * trigger that empties it whenever the plaintext changes, and indexes. Each statement may be run again.
 */
import { identifier } from '../../postgres/sql-names.ts';
import type { Migration } from './migration.ts';
import {
  hashIndexName,
  insertTriggerName,
  type MigratedTable,
  restIndexName,
  tableName,
  triggerName,
} from './names.ts';

export interface Definition {
  readonly what: string;
  readonly sql: string;
}

export interface PreparedColumn extends MigratedTable {
  /** What of the CHECK constraint is known elsewhere; `expression` is over the column beside. */
  readonly check: { readonly name: string; readonly expression: string };
  /** Of the primary key, in its order. */
  readonly key: readonly string[];
  readonly isBytea: boolean;
  readonly search: 'none' | 'index' | 'unique';
}

const TAG = '$acra_enclave$';

/** As the catalogue has it. */
export const triggerBody = ({ beside }: Migration) => `
BEGIN
  NEW.${identifier(beside)} := NULL;
  RETURN NEW;
END
`;

function triggerFunction({ schema, migration }: MigratedTable): string {
  const name = `${identifier(schema)}.${identifier(triggerName(migration))}`;
  return `CREATE OR REPLACE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS ${TAG}${triggerBody(migration)}${TAG}`;
}

/**
 * Whoever writes past the enclave may write whole rows back as they were read once, and copies of them: a container of another value.
 * The switch's tool alone gives one to a row that has none, and changes nothing else. By bytes: a collation may call two texts equal.
 * ALWAYS: also for what replication writes; but new rows have come from a table that is prepared, too.
 */
function triggers(table: PreparedColumn): string {
  const { schema, migration, isBytea } = table;
  const of = tableName(table);
  const [name, ofNew] = [identifier(triggerName(migration)), identifier(insertTriggerName(migration))];
  const beside = identifier(migration.beside);
  const bytes = (row: string) => `${row}.${identifier(migration.column)}${isBytea ? '' : '::text COLLATE "C"'}`;
  return `DROP TRIGGER IF EXISTS ${name} ON ${of};
CREATE TRIGGER ${name} BEFORE UPDATE ON ${of} FOR EACH ROW
  WHEN (${bytes('OLD')} IS DISTINCT FROM ${bytes('NEW')} OR (OLD.${beside} IS NOT NULL AND NEW.${beside} IS DISTINCT FROM OLD.${beside}))
  EXECUTE FUNCTION ${identifier(schema)}.${name}();
ALTER TABLE ${of} ENABLE ALWAYS TRIGGER ${name};
DROP TRIGGER IF EXISTS ${ofNew} ON ${of};
CREATE TRIGGER ${ofNew} BEFORE INSERT ON ${of} FOR EACH ROW WHEN (NEW.${beside} IS NOT NULL)
  EXECUTE FUNCTION ${identifier(schema)}.${name}()`;
}

/** In one transaction. */
export function columnDefinitions(table: PreparedColumn, hasCheck: boolean): readonly Definition[] {
  const { migration, check } = table;
  const alter = `ALTER TABLE ${tableName(table)}`;
  const constraint = `${alter} ADD CONSTRAINT ${identifier(check.name)} CHECK (${check.expression}) NOT VALID`;
  return [
    { what: 'the column beside', sql: `${alter} ADD COLUMN IF NOT EXISTS ${identifier(migration.beside)} bytea` },
    ...(hasCheck ? [] : [{ what: 'its CHECK constraint', sql: constraint }]),
    { what: 'the function of the trigger', sql: triggerFunction(table) },
    { what: 'the triggers', sql: triggers(table) },
  ];
}

export interface SlowlyMade {
  readonly isCheckValid: boolean;
  readonly hasRestIndex: boolean;
  readonly hasHashIndex: boolean;
}

/** Each by itself: they take long, and keep nobody from reading or writing. */
export function slowDefinitions(table: PreparedColumn, made: SlowlyMade): readonly Definition[] {
  const { migration, check, key, search } = table;
  const [column, beside] = [identifier(migration.column), identifier(migration.beside)];
  const index = (kind: string, name: string, keys: string) =>
    `CREATE ${kind} CONCURRENTLY IF NOT EXISTS ${identifier(name)} ON ${tableName(table)} ${keys}`;
  const rest = `(${key.map(identifier).join(', ')}) WHERE ${column} IS NOT NULL AND ${beside} IS NULL`;
  const validate = `ALTER TABLE ${tableName(table)} VALIDATE CONSTRAINT ${identifier(check.name)}`;
  const hash = index(
    search === 'unique' ? 'UNIQUE INDEX' : 'INDEX',
    hashIndexName(migration, search === 'unique'),
    `(substr(${beside}, 1, 33))`,
  );
  return [
    ...(made.isCheckValid ? [] : [{ what: 'the CHECK constraint is proved', sql: validate }]),
    ...(made.hasRestIndex
      ? []
      : [{ what: 'an index on what is left to fill', sql: index('INDEX', restIndexName(migration), rest) }]),
    ...(search === 'none' || made.hasHashIndex ? [] : [{ what: 'the index of the search hash', sql: hash }]),
  ];
}
