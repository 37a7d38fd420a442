/**
 * The statements that hold a database to the encryptor configuration, as a script for psql. Pure and deterministic: the same
 * configuration gives the same text. Each part may be run twice.
 *
 * Belts are CHECK constraints and no domains: a constraint is added without a look at the rows (NOT VALID) and leaves the column's type,
 * while a domain changes the type and has the whole table read, under a lock that keeps everybody out.
 */

import { identifier, literal } from '../../postgres/sql-names.ts';
import type { EncryptedColumn, EncryptedTable } from '../encryptor-config/schema.ts';
import type { Migration } from '../migration/migration.ts';
import { checkFor } from './check.ts';
import { LOG_SETTINGS, type LogSetting } from './log-settings.ts';
import { beltName } from './names.ts';
import { uniqueIndex } from './unique-searches.ts';

export interface PlacedTable {
  readonly schema: string;
  readonly table: EncryptedTable;
}

export interface ScriptOptions {
  readonly tables: readonly PlacedTable[];
  /** As guard.list has them. */
  readonly uniqueSearches: readonly string[];
  /** The application's. */
  readonly role: string | undefined;
  /** Columns whose existing rows are being encrypted (decision 21), and those beside them: `data encrypt` holds these. */
  readonly migrations?: readonly Pick<Migration, 'table' | 'column' | 'beside'>[];
}

/** A name in a comment ends it nowhere. */
const told = (text: string) => text.replace(/[\p{C}\u2028\u2029]/gu, '?');
const comment = (...lines: readonly string[]) => lines.map((line) => (line === '' ? '--' : `-- ${line}`)).join('\n');

const relationOf = ({ schema, table }: PlacedTable) => `${identifier(schema)}.${identifier(table.name)}`;

/** What is resolved by search_path finds PostgreSQL's own alone. */
const OPENING = `BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL standard_conforming_strings = on;
SET LOCAL lock_timeout = '10s';`;

function kindOf({ envelope, searchable, masking }: EncryptedColumn): string {
  const held = `a container (${envelope})`;
  if (searchable) return `its search hash, then ${held}`;
  if (!masking) return held;
  const { plaintextBytes, side } = masking;
  const open = `${plaintextBytes} bytes in the clear, of which nothing can be tested but their number`;
  return side === 'left' ? `${open}, then ${held}` : `${held}, then ${open}`;
}

function belt(placed: PlacedTable, column: EncryptedColumn): string {
  const name = identifier(beltName(column.name));
  return `${comment(told(`column ${identifier(column.name)}: ${kindOf(column)}`))}
ALTER TABLE ${relationOf(placed)}
  DROP CONSTRAINT IF EXISTS ${name},
  ADD CONSTRAINT ${name} CHECK ${checkFor(column, column.name)} NOT VALID;`;
}

/** Without what is in between: a belt would refuse the plaintext that still belongs there. */
function columnsOf({ tables, migrations = [] }: ScriptOptions) {
  const isInBetween = ({ name: table }: EncryptedTable, column: string) =>
    migrations.some((each) => each.table === table && [each.column, each.beside].includes(column));
  return tables.flatMap((placed) =>
    [...placed.table.encrypted.values()].flatMap((column) =>
      isInBetween(placed.table, column.name) ? [] : [[placed, column] as const],
    ),
  );
}

const inBetween = ({ migrations = [] }: ScriptOptions) =>
  migrations.map(({ table, column }) =>
    comment(
      told(
        `column ${identifier(column)} of ${identifier(table)}: its rows are being encrypted (guard.migrations); without a belt of this script until then`,
      ),
    ),
  );

function belts(options: ScriptOptions): string {
  return [
    comment(
      '1. Belts. New rows and changed ones are refused unless a protected column is NULL, empty, or as Acra stores values:',
      'tags, types and lengths of the whole structure. Rows that are there are not read, and stay as they are.',
    ),
    OPENING,
    ...inBetween(options),
    ...columnsOf(options).map(([placed, column]) => belt(placed, column)),
    'COMMIT;',
  ].join('\n');
}

function validations(options: ScriptOptions): string {
  return [
    comment(
      '2. The rows that are there. Each statement reads its table, and lets it be read and written meanwhile. It fails where a row',
      'holds plaintext, which is then to be encrypted first; the belt holds for new rows all the same.',
    ),
    ...columnsOf(options).map(
      ([placed, { name }]) => `ALTER TABLE ${relationOf(placed)} VALIDATE CONSTRAINT ${identifier(beltName(name))};`,
    ),
  ].join('\n');
}

function indexes({ tables, uniqueSearches }: ScriptOptions): string {
  const statements = tables.flatMap(({ schema, table }) =>
    uniqueSearches.flatMap((entry) => uniqueIndex(schema, table, entry) ?? []),
  );
  if (statements.length === 0) {
    return comment(
      '3. Unique indexes on search hashes, for ON CONFLICT: none is named by uniqueSearches of guard.list, or by',
      '--unique TABLE.COLUMN or TABLE.(COLUMN,COLUMN).',
    );
  }
  return [
    comment(
      '3. Unique indexes on search hashes, for ON CONFLICT (uniqueSearches of guard.list). Not in a transaction: CONCURRENTLY allows',
      'none. Where one fails because values are there twice it leaves an invalid index: DROP INDEX, mend the rows, run it again.',
    ),
    ...statements,
  ].join('\n');
}

function grants({ tables, role }: ScriptOptions): string {
  if (role === undefined) {
    return comment("4. Rights: --role NAME writes what the application's role needs, and takes away what it does not.");
  }
  const to = identifier(role);
  const schemas = [...new Set(tables.map(({ schema }) => identifier(schema)))];
  return [
    comment(
      "4. Rights of the application's role, and no more: TRIGGER would let it have code run on rows that nobody encrypted, REFERENCES",
      'a foreign key compare them, and with CREATE it could make relations in front of the tables. An owner keeps every right, and',
      'may drop the belts; so may a superuser. Let another role own the tables:',
      ...tables.map((placed) => told(`  ALTER TABLE ${relationOf(placed)} OWNER TO another_role;`)),
      'Columns of type serial also need GRANT USAGE ON SEQUENCE; identity columns need nothing.',
    ),
    OPENING,
    ...schemas.flatMap((schema) => [
      `REVOKE CREATE ON SCHEMA ${schema} FROM PUBLIC, ${to};`,
      `GRANT USAGE ON SCHEMA ${schema} TO ${to};`,
    ]),
    ...tables.flatMap((placed) => [
      `REVOKE ALL ON TABLE ${relationOf(placed)} FROM PUBLIC, ${to};`,
      `GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE ${relationOf(placed)} TO ${to};`,
    ]),
    'COMMIT;',
  ].join('\n');
}

const isNumber = (text: string) => /^-?\d+$/.test(text);
const settingValue = (quiet: string) => (isNumber(quiet) ? quiet : literal(quiet));

const systemWide = ({ name, quiet }: LogSetting) =>
  `  ALTER SYSTEM SET ${name} = ${settingValue(quiet)};${name.includes('.') ? ' (only where that module is loaded)' : ''}`;

function logging(role: string | undefined): string {
  const heading = comment(
    "5. The database's log. What the enclave sends is ciphertext; what goes round it may be plaintext, and PostgreSQL would write it down",
    'just because a belt refuses it. Only a superuser may set most of these (PostgreSQL 15 and newer: who has GRANT SET ON PARAMETER);',
    'a managed database has them in its parameter group. They hold for new sessions. For all roles, and for what is logged before a login:',
    ...LOG_SETTINGS.map(systemWide),
    '  SELECT pg_catalog.pg_reload_conf();',
    'What no setting of these keeps back: the message of an error may quote a value of a column that is not protected (invalid input syntax',
    'for type integer: "..."); log_min_messages = fatal would, and every other error with it.',
    'Beside the log: pg_stat_activity shows the statements that run, pg_stat_statements keeps texts (utility statements as they came:',
    'pg_stat_statements.track_utility = off), pgaudit writes what it is told to (pgaudit.log, pgaudit.log_parameter).',
  );
  if (role === undefined) return heading;
  const statements = LOG_SETTINGS.flatMap(({ name, quiet, why }) => [
    comment(why),
    `ALTER ROLE ${identifier(role)} SET ${name} = ${settingValue(quiet)};`,
  ]);
  return [heading, 'BEGIN;', ...statements, 'COMMIT;'].join('\n');
}

const HEADING = comment(
  'Written by `acra-enclave guard ddl`, which runs nothing. It holds the database to the encryptor configuration: run it as the owner of the',
  'tables (5. as a superuser), with psql -v ON_ERROR_STOP=1 -f FILE, and again whenever that configuration has changed. Twice does no harm.',
);

/** Of this text. */
const ENCODING = "SET client_encoding = 'UTF8';";

export function script(options: ScriptOptions): string {
  const held = [belts(options), validations(options), indexes(options), grants(options), logging(options.role)];
  return `${[HEADING, ENCODING, ...held].join('\n\n')}\n`;
}
