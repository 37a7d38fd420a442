/**
 * Sessions before and behind the switch of a column (decision 21), before a real PostgreSQL: what was plaintext stays what applications
 * read and write until the switch, and no statement that is too late does anything.
 */
import type pg from 'pg';
import t, { type Test } from 'tap';
import { type GuardedPostgres, guardedPostgres } from './support/guarded-postgres.ts';

const MIGRATION = { table: 'patients', column: 'name', beside: 'name_protected', old: 'name_plain' };
const ENCRYPTOR_CONFIG = `schemas:
  - table: patients
    columns: [id, name, ward, name_protected]
    encrypted:
      - {column: name, data_type: str, searchable: true, response_on_fail: error}
      - {column: name_protected, data_type: str, searchable: true, response_on_fail: error}
`;
const SWITCH = [
  'BEGIN',
  'LOCK TABLE patients IN ACCESS EXCLUSIVE MODE',
  'ALTER TABLE patients RENAME COLUMN name TO name_plain',
  'ALTER TABLE patients RENAME COLUMN name_protected TO name',
  'COMMIT',
];

async function rig(t: Test): Promise<GuardedPostgres> {
  const postgres = await guardedPostgres(t, ENCRYPTOR_CONFIG, {}, [MIGRATION]);
  await postgres.owner.query('CREATE TABLE patients (id int PRIMARY KEY, name text, ward text)');
  await postgres.owner.query("INSERT INTO patients VALUES (1, 'Anna', 'A'), (2, 'Bob', 'B')");
  return postgres;
}

async function prepared(t: Test): Promise<GuardedPostgres> {
  const postgres = await rig(t);
  await postgres.owner.query('ALTER TABLE patients ADD COLUMN name_protected bytea');
  return postgres;
}

async function makeSwitch(client: pg.Client): Promise<void> {
  for (const sql of SWITCH) await client.query(sql);
}

const rowsOf = async (client: pg.Client, sql: string, values: unknown[] = []) => (await client.query(sql, values)).rows;
const codeOf = (query: Promise<unknown>) =>
  query.then(
    () => 'passed',
    ({ code }: { code?: string }) => code,
  );

t.test('reads and writes the column as it was until the switch, and shows nothing of what is beside', async (t) => {
  const postgres = await prepared(t);
  const client = await postgres.connect();
  t.same(await rowsOf(client, 'SELECT * FROM patients WHERE name = $1', ['Anna']), [
    { id: 1, name: 'Anna', ward: 'A' },
  ]);
  await client.query("INSERT INTO patients VALUES (3, 'Cleo', 'C')");
  await client.query('UPDATE patients SET name = $1 WHERE id = $2', ['Bill', 2]);
  t.same(await rowsOf(postgres.owner, 'SELECT id, name FROM patients ORDER BY id'), [
    { id: 1, name: 'Anna' },
    { id: 2, name: 'Bill' },
    { id: 3, name: 'Cleo' },
  ]);
});

t.test('protects what is filled beside, and what is written behind the switch', async (t) => {
  const postgres = await prepared(t);
  const tool = await postgres.connect();
  for (const { id, name } of await rowsOf(tool, 'SELECT id, name FROM patients WHERE name_protected IS NULL'))
    await tool.query('UPDATE patients SET name_protected = $1 WHERE id = $2', [name, id]);
  t.same(await rowsOf(tool, 'SELECT name_protected FROM patients WHERE id = 1'), [{ name_protected: 'Anna' }]);
  await makeSwitch(tool);
  const client = await postgres.connect();
  await client.query("INSERT INTO patients VALUES (3, 'Cleo', 'C')");
  t.same(await rowsOf(client, 'SELECT * FROM patients WHERE name = $1', ['Cleo']), [
    { id: 3, name: 'Cleo', ward: 'C' },
  ]);
  t.same(await rowsOf(client, 'SELECT name FROM patients ORDER BY id'), [
    { name: 'Anna' },
    { name: 'Bob' },
    { name: 'Cleo' },
  ]);
  const stored = await rowsOf(postgres.owner, 'SELECT name::text, name_plain FROM patients ORDER BY id');
  t.notMatch(stored, /Anna.*name_plain/);
  t.same(
    stored.map(({ name_plain: old }) => old),
    ['Anna', 'Bob', null],
  );
  t.ok(stored.every(({ name }) => /^\\x[0-9a-f]{100,}$/.test(name)));
});

for (const [what, ask] of [
  ['a search', (client) => client.query("SELECT count(*) FROM patients WHERE name = 'Anna'")],
  ['a read', (client) => client.query('SELECT name FROM patients')],
  ['a write', (client) => client.query("UPDATE patients SET name = 'Eve' WHERE id = 1")],
  ['a parameter', (client) => client.query('INSERT INTO patients (id, name) VALUES ($1, $2)', [9, 'Eve'])],
  [
    'a statement that was prepared before',
    (client) => client.query({ name: 's', text: 'SELECT name FROM patients WHERE id = $1', values: [1] }),
  ],
  ['a statement that SQL prepared before', (client) => client.query("EXECUTE p ('Anna')")],
  ['COPY of a query', (client) => client.query('COPY (SELECT name FROM patients) TO STDOUT')],
] as const satisfies readonly (readonly [string, (client: pg.Client) => Promise<unknown>])[]) {
  t.test(`ends a session that is too late, before its statement does anything: ${what}`, async (t) => {
    const postgres = await prepared(t);
    const [client, tool] = [await postgres.connect(), await postgres.connect()];
    await client.query({ name: 's', text: 'SELECT name FROM patients WHERE id = $1', values: [1] });
    await client.query('PREPARE p (text) AS SELECT id FROM patients WHERE name = $1');
    await makeSwitch(tool);
    t.equal(await codeOf(ask(client)), '57P01');
    t.same(await rowsOf(postgres.owner, 'SELECT id, name FROM patients ORDER BY id'), [
      { id: 1, name: null },
      { id: 2, name: null },
    ]);
  });
}

t.test('ends a session whose statement waited for the switch', async (t) => {
  const postgres = await prepared(t);
  const [client, tool] = [await postgres.connect(), await postgres.connect()];
  for (const sql of SWITCH.slice(0, 2)) await tool.query(sql);
  const waiting = codeOf(client.query("INSERT INTO patients (id, name) VALUES (9, 'Eve')"));
  const isWaiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
  while ((await rowsOf(postgres.owner, isWaiting)).length === 0);
  for (const sql of SWITCH.slice(2)) await tool.query(sql);
  t.equal(await waiting, '57P01');
  t.same(await rowsOf(postgres.owner, 'SELECT FROM patients WHERE id = 9'), []);
});

t.test('leaves a session alone that is too late for a table that it does not name', async (t) => {
  const postgres = await prepared(t);
  await postgres.owner.query('CREATE TABLE wards (name text)');
  const [client, tool] = [await postgres.connect(), await postgres.connect()];
  await makeSwitch(tool);
  t.equal(await codeOf(client.query('SELECT name FROM wards')), 'passed');
});

t.test('refuses a table that is neither prepared nor switched, and nothing else', async (t) => {
  const postgres = await rig(t);
  const client = await postgres.connect();
  t.equal(await codeOf(client.query('SELECT id FROM patients')), '55000');
  t.equal(await codeOf(client.query('SELECT 1')), 'passed');
});

t.test('takes no session once a database takes its switch back', async (t) => {
  const postgres = await prepared(t);
  await makeSwitch(await postgres.connect());
  await (await postgres.connect()).query('SELECT name FROM patients');
  await postgres.owner.query('ALTER TABLE patients RENAME COLUMN name TO name_protected');
  await postgres.owner.query('ALTER TABLE patients RENAME COLUMN name_plain TO name');
  t.equal(await codeOf(postgres.connect()), '58000');
});
