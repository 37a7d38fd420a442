/** After what `guard ddl` writes has been run `guard check-db` finds nothing to say, and names whatever of it is taken away. */
import t from 'tap';
import { LOG_SETTINGS } from '../../../acra/belts/log-settings.ts';
import { script } from '../../../acra/belts/script.ts';
import { judgeCatalogue } from '../../../acra/catalogue/judge.ts';
import { readCatalogue } from '../../../acra/catalogue/read.ts';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import { beltDatabase, statementsOf } from './support/database.ts';

const { tables } = parseEncryptorConfig(
  `schemas:
  - table: patients
    columns: [id, email, diagnosis, select]
    encrypted:
      - {column: email, searchable: true}
      - {column: diagnosis}
      - {column: select, masking: xxxx, plaintext_length: 4, plaintext_side: right}
`,
  'encryptor.yaml',
);
const TABLE = 'CREATE TABLE patients (id integer PRIMARY KEY, email bytea, diagnosis bytea, "select" bytea)';

t.test('a database', async (t) => {
  const database = await beltDatabase(t);
  const [owner, admin] = [await database.login('owner'), await database.login('admin')];
  await owner.query(TABLE);

  /** By any login, here the application's. */
  const found = async (by: 'application' | 'owner' = 'application'): Promise<string[]> => {
    const client = await database.login(by);
    const reader = {
      query: async (text: string, values: readonly unknown[] = []) => (await client.query(text, [...values])).rows,
    };
    const { findings } = judgeCatalogue(
      await readCatalogue(reader, [...tables.keys()], ['application', 'nobody']),
      tables,
    );
    await client.end();
    return findings.map(({ code, object, found: what }) => `${code} ${object}: ${what}`);
  };

  await t.test('has belts, rights and settings named that are missing', async (t) => {
    await owner.query('GRANT ALL ON patients TO application');
    const codes = (await found()).map((text) => text.replace(/ .*/s, ''));
    t.same(new Set(codes), new Set(['DB_BELT_MISSING', 'DB_LOG_SETTING', 'DB_ROLE_RIGHTS']));
    t.equal(codes.filter((code) => code === 'DB_BELT_MISSING').length, 3);
  });

  await t.test('has settings named that only the login of this look has made quiet for itself', async (t) => {
    const logged = async () => (await found('owner')).filter((text) => text.startsWith('DB_LOG_SETTING'));
    const before = await logged();
    for (const { name, quiet } of LOG_SETTINGS) await admin.query(`ALTER ROLE owner SET ${name} = '${quiet}'`);
    t.same(await logged(), before);
    t.ok(before.length > 0);
    await admin.query('ALTER ROLE owner RESET ALL');
  });

  await t.test('has nothing to be named once the script was run', async (t) => {
    const text = script({
      tables: [...tables.values()].map((table) => ({ schema: 'public', table })),
      uniqueSearches: ['patients.email', 'patients.(id,email)'],
      role: 'application',
    });
    for (const sql of statementsOf(text)) await admin.query(sql);
    t.same(await found(), []);
  });

  const belt = (column: string, code: string, constraint: string) =>
    `${code} column ${column} of table public.patients: ${constraint}`;
  const none = 'no CHECK constraint tests for a container';
  const log = (setting: string) => `DB_LOG_SETTING role application: ${setting}`;
  const at = 'DB_ROLE_RIGHTS role application at table public.patients';
  const taken: Readonly<Record<string, readonly [sql: string, expected: string]>> = {
    'a belt': ['ALTER TABLE patients DROP CONSTRAINT acra_belt_email', belt('email', 'DB_BELT_MISSING', none)],
    'another belt': ['ALTER TABLE patients DROP CONSTRAINT acra_belt_select', belt('select', 'DB_BELT_MISSING', none)],
    'a belt, for a shorter one': [
      `ALTER TABLE patients DROP CONSTRAINT acra_belt_diagnosis, ADD CONSTRAINT d CHECK (substr(diagnosis, 1, 3) = '\\x252525')`,
      belt('diagnosis', 'DB_BELT_SHORT', 'constraint d'),
    ],
    'a setting of the log': [
      'ALTER ROLE application RESET log_error_verbosity',
      log('log_error_verbosity is default: '),
    ],
    'a setting that another one of the database replaces': [
      "ALTER ROLE application IN DATABASE records SET log_statement = 'all'",
      log('log_statement is all: '),
    ],
    'a right': ['GRANT TRIGGER ON patients TO PUBLIC', `${at}: has TRIGGER`],
    'the schema': ['GRANT CREATE ON SCHEMA public TO application', `${at}: may make relations in its schema`],
    'the table': ['ALTER TABLE patients OWNER TO application', `${at}: owns it, and may drop what holds it`],
    everything: ['ALTER ROLE application SUPERUSER', `${at}: is a superuser`],
  };
  for (const [what, [sql, expected]] of Object.entries(taken)) {
    await t.test(`has it named when ${what} is taken away or given`, async (t) => {
      const before = await found();
      await admin.query(sql);
      const after = await found();
      t.ok(
        !before.some((each) => each.startsWith(expected)) && after.some((each) => each.startsWith(expected)),
        `${after.join('\n')}`,
      );
    });
  }
});
