/**
 * The definitions of the switch (decision 21), all in the transaction that holds the table, and what is left to do behind it. The guard
 * lets these pass, and no others, that give a protected column another name.
 */

import { identifier } from '../../postgres/sql-names.ts';
import { insertTriggerName, type MigratedTable, notNullName, restIndexName, tableName, triggerName } from './names.ts';
import type { Definition } from './prepare-statements.ts';

/** @param isRequired the column is NOT NULL: the plaintext is no more, and of what is written from now on it is demanded */
export function switchDefinitions(table: MigratedTable, isRequired: boolean): readonly Definition[] {
  const { schema, migration } = table;
  const { column, beside, old } = migration;
  const alter = `ALTER TABLE ${tableName(table)}`;
  const [trigger, ofNew] = [identifier(triggerName(migration)), identifier(insertTriggerName(migration))];
  const rename = (from: string, to: string) => `${alter} RENAME COLUMN ${identifier(from)} TO ${identifier(to)}`;
  const some = `CHECK (${identifier(column)} IS NOT NULL) NOT VALID`;
  return [
    { what: 'the trigger goes', sql: `DROP TRIGGER IF EXISTS ${trigger} ON ${tableName(table)}` },
    { what: 'that of new rows goes', sql: `DROP TRIGGER IF EXISTS ${ofNew} ON ${tableName(table)}` },
    { what: 'its function goes', sql: `DROP FUNCTION IF EXISTS ${identifier(schema)}.${trigger}()` },
    {
      what: 'the index on what is left goes',
      sql: `DROP INDEX IF EXISTS ${identifier(schema)}.${identifier(restIndexName(migration))}`,
    },
    { what: 'the plaintext gets its other name', sql: rename(column, old) },
    { what: 'the protected column gets its name', sql: rename(beside, column) },
    ...(isRequired
      ? [
          { what: 'NOT NULL goes', sql: `${alter} ALTER COLUMN ${identifier(old)} DROP NOT NULL` },
          {
            what: 'NOT NULL holds for what is written',
            sql: `${alter} ADD CONSTRAINT ${identifier(notNullName(migration))} ${some}`,
          },
        ]
      : []),
  ];
}

/** Behind the switch, each by itself: the proof reads the table, and keeps nobody from using it; what rests on it takes no time. */
export function notNullDefinitions(table: MigratedTable): readonly Definition[] {
  const alter = `ALTER TABLE ${tableName(table)}`;
  const constraint = identifier(notNullName(table.migration));
  return [
    { what: 'no NULL is there', sql: `${alter} VALIDATE CONSTRAINT ${constraint}` },
    {
      what: 'the column is NOT NULL',
      sql: `${alter} ALTER COLUMN ${identifier(table.migration.column)} SET NOT NULL`,
    },
    { what: 'what proved it goes', sql: `${alter} DROP CONSTRAINT IF EXISTS ${constraint}` },
  ];
}

export const dropOld = (table: MigratedTable) =>
  `ALTER TABLE ${tableName(table)} DROP COLUMN IF EXISTS ${identifier(table.migration.old)}`;
