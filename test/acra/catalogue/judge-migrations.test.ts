/** What check-db says of a table whose rows are being encrypted (decision 21): what is to be done, and nothing of what the migration makes. */
import t from 'tap';
import { checkFor } from '../../../acra/belts/check.ts';
import { beltName } from '../../../acra/belts/names.ts';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import { insertTriggerName, restIndexName } from '../../../acra/migration/names.ts';
import { columnDefinitions, slowDefinitions } from '../../../acra/migration/prepare-statements.ts';
import { dropOld, switchDefinitions } from '../../../acra/migration/switch-statements.ts';
import { caseDatabase } from './support/database.ts';

const SETTINGS = 'data_type: str, searchable: true';
const YAML = `schemas:
  - table: people
    columns: [id, name, town, name_protected]
    encrypted:
      - {column: name, ${SETTINGS}}
      - {column: name_protected, ${SETTINGS}}
`;
const MIGRATION = { table: 'people', column: 'name', beside: 'name_protected', old: 'name_plain' };
const column = parseEncryptorConfig(YAML, 'encryptor.yaml').tables.get('people')!.encrypted.get('name')!;
const PREPARED = {
  schema: 'public',
  migration: MIGRATION,
  check: { name: beltName('name'), expression: checkFor(column, 'name_protected') },
  key: ['id'],
  isBytea: false,
  search: 'unique',
} as const;
const MADE = { isCheckValid: false, hasRestIndex: false, hasHashIndex: false };

const BEFORE = [
  'DROP TABLE IF EXISTS people CASCADE; CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL UNIQUE, town text)',
];
const PREPARE = [
  ...columnDefinitions(PREPARED, false).map(({ sql }) => sql),
  ...slowDefinitions(PREPARED, MADE).map(({ sql }) => sql.replace(' CONCURRENTLY', '')),
];
const SWITCH = switchDefinitions(PREPARED, true).map(({ sql }) => sql);

t.test('a table of guard.migrations', async (t) => {
  const { judge } = await caseDatabase(t);
  const look = async (sql: readonly string[], present: readonly string[] = []) => {
    const { findings, list } = await judge(sql.join(';\n'), YAML, present, [MIGRATION]);
    return { codes: findings.map(({ code }) => code), searches: list.uniqueSearches };
  };

  t.same(await look(BEFORE), { codes: ['DB_MIGRATION_UNPREPARED'], searches: [] }, 'before it is prepared');
  const all = [...BEFORE, ...PREPARE];
  const searches = ['people.name'];
  t.same(await look(all), { codes: ['DB_MIGRATION_PLAIN'], searches }, 'before the switch');
  t.same(await look(all, searches), { codes: ['DB_MIGRATION_PLAIN'], searches }, 'with what its list has');
  t.same(await look([...all, ...SWITCH]), { codes: ['DB_MIGRATION_OLD'], searches }, 'behind it');
  t.same(
    await look([...all, ...SWITCH, dropOld(PREPARED)]),
    { codes: ['DB_MIGRATION_ENTRY'], searches },
    'with nothing left but the entry',
  );

  const without = (what: string) => `ALTER TABLE people DROP CONSTRAINT ${what}`;
  t.same((await look([...all, without('acra_belt_name')])).codes, ['DB_MIGRATION_PLAIN', 'DB_BELT_MISSING']);
  t.same((await look([...all, 'ALTER TABLE people ADD COLUMN more text'])).codes[0], 'DB_COLUMNS');
  const other = `CREATE OR REPLACE FUNCTION ${insertTriggerName(MIGRATION).replace('_new', '')}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.name_protected := NEW.name; RETURN NEW; END'`;
  t.match((await look([...all, other])).codes, ['DB_TRIGGER_NAMES_COLUMN', 'DB_TRIGGER_NAMES_COLUMN']);
  const left = `CREATE INDEX ${restIndexName(MIGRATION)} ON people (id) WHERE name IS NULL`;
  t.same((await look([...all, ...SWITCH, left])).codes, ['DB_COLUMN_INDEX', 'DB_MIGRATION_OLD']);
});
