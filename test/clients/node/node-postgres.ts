/** node-postgres goes through the checks. */
import { strict as assert } from 'node:assert';
import { createRequire } from 'node:module';
import pg from 'pg';
import { Absent, ESCAPES, endpoint, files, LARGE, refusal, runChecks, tlsOptions, UNICODE, until } from './checks.ts';

const INSERT = 'INSERT INTO patients (id, name, diagnosis, note) VALUES ($1, $2, $3, $4)';
const SELECT = 'SELECT name, diagnosis, note FROM patients WHERE id = $1';
const SLEEPS = `SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'`;

/** A check that fails may leave one open. */
const connected: pg.Client[] = [];

async function connect(settings: object = {}): Promise<pg.Client> {
  const client = new pg.Client({ ...endpoint, ssl: tlsOptions(), ...settings });
  client.on('error', () => undefined);
  await client.connect();
  connected.push(client);
  return client;
}

const client = await connect();

async function keeps(id: number, value: string | null, by: pg.Client = client): Promise<void> {
  await by.query(INSERT, [id, value, value, value]);
  const { rows } = await by.query(SELECT, [id]);
  assert.deepEqual(rows, [{ name: value, diagnosis: value, note: value }]);
}

const backendPid = async (of: pg.Client): Promise<number> =>
  (await of.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid ?? 0;

async function names(from: number, to: number): Promise<unknown[]> {
  const { rows } = await client.query('SELECT name FROM patients WHERE id BETWEEN $1 AND $2 ORDER BY id', [from, to]);
  return rows.map(({ name }) => name);
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `name ${index}`);

await runChecks(
  { version: createRequire(import.meta.url)('pg/package.json').version, mode: 'pg.Client, JavaScript' },
  {
    connect: async () => assert.deepEqual((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]),
    literals: async () => {
      await client.query("INSERT INTO patients (id, name, diagnosis, note) VALUES (1, 'Ada', 'gout', 'plain')");
      const { rows } = await client.query('SELECT name, diagnosis, note FROM patients WHERE id = 1');
      assert.deepEqual(rows, [{ name: 'Ada', diagnosis: 'gout', note: 'plain' }]);
    },
    'parameters-text': () => keeps(2, 'Grace'),
    'parameters-binary': async () => {
      const binary = await connect({ binary: true });
      try {
        const name = Buffer.from('Edsger');
        await binary.query(INSERT, [3, name, name, name]);
        const { rows } = await binary.query(SELECT, [3]);
        assert.deepEqual(rows, [{ name: 'Edsger', diagnosis: 'Edsger', note: 'Edsger' }]);
      } finally {
        await binary.end();
      }
      return 'with the option binary';
    },
    search: async () => {
      await client.query(INSERT, [4, 'Barbara', 'flu', '']);
      const find = (name: string) => client.query('SELECT id FROM patients WHERE name = $1', [name]);
      assert.deepEqual((await find('Barbara')).rows, [{ id: 4 }]);
      assert.deepEqual((await find('barbara')).rows, []);
      assert.deepEqual((await client.query("SELECT id FROM patients WHERE name = 'Barbara'")).rows, [{ id: 4 }]);
    },
    'prepared-50': async () => {
      for (const [index, name] of numbered(50).entries()) {
        await client.query({ name: 'insert', text: INSERT, values: [100 + index, name, name, name] });
        const { rows } = await client.query({ name: 'select', text: SELECT, values: [100 + index] });
        assert.deepEqual(rows, [{ name, diagnosis: name, note: name }]);
      }
    },
    batch: async () => {
      const rows = numbered(20).map((name, index) => [200 + index, name, name, name]);
      const places = rows.map((_, row) => `(${[1, 2, 3, 4].map((column) => `$${row * 4 + column}`).join(', ')})`);
      await client.query(`INSERT INTO patients (id, name, diagnosis, note) VALUES ${places.join(', ')}`, rows.flat());
      assert.deepEqual(await names(200, 219), numbered(20));
    },
    pipeline: async () => {
      const pipelined = await connect({ pipeline: true });
      try {
        await Promise.all(numbered(10).map((name, index) => pipelined.query(INSERT, [300 + index, name, name, name])));
      } finally {
        await pipelined.end();
      }
      assert.deepEqual(await names(300, 309), numbered(10));
      return 'with the option pipeline';
    },
    null: () => keeps(5, null),
    empty: () => keeps(6, ''),
    unicode: () => keeps(7, UNICODE),
    escapes: async () => {
      await keeps(8, ESCAPES);
      const literals = [1, 2, 3].map(() => client.escapeLiteral(ESCAPES)).join(', ');
      await client.query(`INSERT INTO patients (id, name, diagnosis, note) VALUES (9, ${literals})`);
      assert.deepEqual((await client.query(SELECT, [9])).rows, [{ name: ESCAPES, diagnosis: ESCAPES, note: ESCAPES }]);
    },
    large: () => keeps(10, LARGE),
    returning: async () => {
      const { rows } = await client.query(`${INSERT} RETURNING id, name, diagnosis`, [11, 'Alan', 'cold', '']);
      assert.deepEqual(rows, [{ id: 11, name: 'Alan', diagnosis: 'cold' }]);
    },
    update: async () => {
      await client.query(INSERT, [12, 'before', 'before', 'before']);
      await client.query('UPDATE patients SET name = $1, diagnosis = $2 WHERE id = $3', ['after', 'then', 12]);
      assert.deepEqual((await client.query(SELECT, [12])).rows, [{ name: 'after', diagnosis: 'then', note: 'before' }]);
    },
    rollback: async () => {
      for (const [id, end] of [
        [13, 'ROLLBACK'],
        [14, 'COMMIT'],
      ] as const) {
        await client.query('BEGIN');
        await client.query(INSERT, [id, end, end, end]);
        await client.query(end);
      }
      assert.deepEqual(await names(13, 14), ['COMMIT']);
    },
    cancel: async () => {
      const pid = await backendPid(client);
      const sleeping = refusal(client.query('SELECT pg_sleep(60)'));
      const other = await connect();
      await until(async () => (await other.query(SLEEPS, [pid])).rows.length === 1);
      await other.query('SELECT pg_cancel_backend($1)', [pid]);
      assert.match(await sleeping, /canceling statement/);
      await other.end();
      await client.query('SELECT 1');
      throw new Absent('no CancelRequest over TLS; pg_cancel_backend on a second connection works');
    },
    error: async () => {
      await client.query(INSERT, [15, 'once', '', '']);
      await assert.rejects(client.query(INSERT, [15, 'twice', '', '']), { code: '23505' });
      assert.deepEqual(await names(15, 15), ['once']);
    },
    'two-connections': async () => {
      const second = await connect();
      await keeps(16, 'first');
      await keeps(17, 'second', second);
      assert.equal((await second.query(SELECT, [16])).rows.length, 1);
      assert.equal((await client.query(SELECT, [17])).rows.length, 1);
      await second.end();
    },
    close: async () => {
      const second = await connect();
      const pid = await backendPid(second);
      await second.end();
      const left = 'SELECT 1 FROM pg_stat_activity WHERE pid = $1';
      await until(async () => (await client.query(left, [pid])).rows.length === 0);
    },
    'wrong-ca': () => refusal(connect({ ssl: tlsOptions(files.wrongCa) })),
  },
);
await Promise.all(connected.map((each) => each.end()));
