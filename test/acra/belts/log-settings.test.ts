/** The database's log does not have the plaintext of a refused statement with the settings of `guard ddl`, and does without. */
import t from 'tap';
import { isQuiet, LOG_SETTINGS } from '../../../acra/belts/log-settings.ts';
import { script } from '../../../acra/belts/script.ts';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import { ENCRYPTOR_YAML } from '../../../cli/demo/database.ts';
import { beltDatabase, statementsOf } from './support/database.ts';

const { tables } = parseEncryptorConfig(ENCRYPTOR_YAML, 'encryptor.yaml');
const PATIENTS = 'CREATE TABLE patients (id integer PRIMARY KEY, name text, email bytea, diagnosis bytea)';
const placed = [...tables.values()].map((table) => ({ schema: 'public', table }));
const settings = (role?: string) => statementsOf(script({ tables: placed, uniqueSearches: [], role }));

/** What each setting of the server would write down, if nothing held it back: as loud as it can be. */
const LOUD = [
  'log_min_duration_statement = 0',
  "log_statement = 'all'",
  'log_parameter_max_length_on_error = -1',
  'debug_print_parse = on',
  'log_transaction_sample_rate = 1',
];

const hex = (text: string) => Buffer.from(text).toString('hex');
const bytesOfTree = (text: string) => [...Buffer.from(text)].join(' ');

t.test('a log', async (t) => {
  const database = await beltDatabase(t);
  const [owner, admin] = [await database.login('owner'), await database.login('admin')];
  await owner.query(PATIENTS);
  for (const sql of settings('application').filter((each) => !/ALTER ROLE/.test(each))) await owner.query(sql);

  /** @returns in which forms the log has the value, once the application has had it refused in all ways */
  const refuse = async (value: string): Promise<string[]> => {
    const before = (await database.log()).length;
    const application = await database.login('application');
    const code = { code: '23514' };
    await t.rejects(application.query(`INSERT INTO patients (id, diagnosis) VALUES (1, '${value}')`), code);
    await t.rejects(application.query('INSERT INTO patients (id, diagnosis) VALUES ($1, $2)', [1, value]), code);
    await application.query(`SELECT '${value}'`);
    await application.query('SELECT $1::text', [value]);
    await application.end();
    const log = (await database.log()).slice(before);
    return [value, hex(value), bytesOfTree(value)].filter((form) => log.includes(form));
  };

  await t.test('has it as PostgreSQL is by default, in the statement and in the row', async (t) => {
    t.same(await refuse('in-the-clear'), ['in-the-clear', hex('in-the-clear')]);
  });

  await t.test('has it in every form where the server logs statements', async (t) => {
    for (const each of LOUD) await admin.query(`ALTER SYSTEM SET ${each}`);
    await admin.query('SELECT pg_reload_conf()');
    t.same(await refuse('told-loudly'), ['told-loudly', hex('told-loudly'), bytesOfTree('told-loudly')]);
  });

  await t.test('has it nowhere with the settings of the role', async (t) => {
    for (const sql of settings('application').filter((each) => /ALTER ROLE/.test(each))) await admin.query(sql);
    t.same(await refuse('kept-back'), []);
  });

  await t.test('still has what an error itself quotes, of a column that is not protected', async (t) => {
    const application = await database.login('application');
    await t.rejects(application.query("INSERT INTO patients (id) VALUES ('quoted-by-it')"), { code: '22P02' });
    t.match(await database.log(), 'invalid input syntax for type integer: "quoted-by-it"');
  });

  await t.test('has settings of these names, which are not quiet by default', async (t) => {
    const { rows } = await admin.query(
      'SELECT name, boot_val AS value, context FROM pg_settings WHERE name = ANY ($1)',
      [LOG_SETTINGS.map(({ name }) => name)],
    );
    t.equal(rows.length, LOG_SETTINGS.length - 1, 'all but that of a module');
    const loud = LOG_SETTINGS.filter((setting) =>
      rows.some(({ name, value }) => name === setting.name && !isQuiet(setting, value)),
    );
    t.same(
      loud.map(({ name }) => name),
      ['log_min_error_statement', 'log_error_verbosity', 'log_parameter_max_length'],
    );
  });
});

const SETTING = (name: string) => LOG_SETTINGS.find((each) => each.name === name) ?? { name, quiet: '', why: '' };

t.test('knows what is quiet, however it is written', async (t) => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['log_min_error_statement', 'PANIC', true],
    ['log_min_error_statement', 'fatal', false],
    ['log_min_error_statement', 'error', false],
    ['log_error_verbosity', 'terse', true],
    ['log_error_verbosity', 'default', false],
    ['log_statement', 'none', true],
    ['log_statement', 'ddl', false],
    ['log_min_duration_statement', '-1', true],
    ['log_min_duration_statement', '0', false],
    ['log_min_duration_statement', '5s', false],
    ['log_parameter_max_length', '0', true],
    ['log_parameter_max_length', '0kB', true],
    ['log_parameter_max_length', '-1', false],
    ['log_parameter_max_length', '10', false],
    ['log_transaction_sample_rate', '0.0', true],
    ['log_transaction_sample_rate', '0.1', false],
    ['debug_print_plan', 'off', true],
    ['debug_print_plan', 'on', false],
  ];
  for (const [name, value, expected] of cases) t.equal(isQuiet(SETTING(name), value), expected, `${name} = ${value}`);
});
