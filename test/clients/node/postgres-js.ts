/** postgres.js goes through the checks. */
import { strict as assert } from 'node:assert';
import { createRequire } from 'node:module';
import postgres from 'postgres';
import { Absent, ESCAPES, endpoint, files, LARGE, refusal, runChecks, tlsOptions, UNICODE, until } from './checks.ts';

/** A check that fails may leave one open. */
const pools: postgres.Sql[] = [];

function connect(settings: object = {}): postgres.Sql {
  const pool = postgres({ ...endpoint, username: endpoint.user, ssl: tlsOptions(), ...settings });
  pools.push(pool);
  return pool;
}

const sql = connect();

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `name ${index}`);
const rowOf = (id: number, value: string | null) => ({ id, name: value, diagnosis: value, note: value });

async function keeps(id: number, value: string | null, by = sql): Promise<void> {
  await by`INSERT INTO patients ${by(rowOf(id, value))}`;
  const rows = await by`SELECT id, name, diagnosis, note FROM patients WHERE id = ${id}`;
  assert.deepEqual([...rows], [rowOf(id, value)]);
}

async function names(from: number, to: number): Promise<unknown[]> {
  const rows = await sql`SELECT name FROM patients WHERE id BETWEEN ${from} AND ${to} ORDER BY id`;
  return rows.map(({ name }) => name);
}

const isOpen = async (pid: number) => (await sql`SELECT 1 FROM pg_stat_activity WHERE pid = ${pid}`).length === 1;
const sleeps = async (pid: number) =>
  (await sql`SELECT 1 FROM pg_stat_activity WHERE pid = ${pid} AND wait_event = 'PgSleep'`).length === 1;

async function pidOf(connection: postgres.Sql): Promise<number> {
  return (await connection`SELECT pg_backend_pid() AS pid`)[0]?.['pid'];
}

await runChecks(
  {
    version: createRequire(import.meta.resolve('postgres'))('../package.json').version,
    mode: 'prepared statements of its own, a pool of 10',
  },
  {
    connect: async () => assert.deepEqual([...(await sql`SELECT 1 AS one`)], [{ one: 1 }]),
    literals: async () => {
      await sql`INSERT INTO patients (id, name, diagnosis, note) VALUES (1, 'Ada', 'gout', 'plain')`.simple();
      const rows = await sql`SELECT name, diagnosis, note FROM patients WHERE id = 1`.simple();
      assert.deepEqual([...rows], [{ name: 'Ada', diagnosis: 'gout', note: 'plain' }]);
    },
    'parameters-text': () => keeps(2, 'Grace'),
    'parameters-binary': async () => {
      throw new Absent('sends text only');
    },
    search: async () => {
      await sql`INSERT INTO patients (id, name, diagnosis, note) VALUES (${4}, ${'Barbara'}, ${'flu'}, ${''})`;
      assert.deepEqual([...(await sql`SELECT id FROM patients WHERE name = ${'Barbara'}`)], [{ id: 4 }]);
      assert.deepEqual([...(await sql`SELECT id FROM patients WHERE name = ${'barbara'}`)], []);
      assert.deepEqual([...(await sql`SELECT id FROM patients WHERE name = 'Barbara'`)], [{ id: 4 }]);
    },
    'prepared-50': async () => {
      for (const [index, name] of numbered(50).entries()) await keeps(100 + index, name);
    },
    batch: async () => {
      await sql`INSERT INTO patients ${sql(numbered(20).map((name, index) => rowOf(200 + index, name)))}`;
      assert.deepEqual(await names(200, 219), numbered(20));
    },
    pipeline: async () => {
      const one = connect({ max: 1 });
      await Promise.all(numbered(10).map((name, index) => one`INSERT INTO patients ${one(rowOf(300 + index, name))}`));
      await one.end();
      assert.deepEqual(await names(300, 309), numbered(10));
    },
    null: () => keeps(5, null),
    empty: () => keeps(6, ''),
    unicode: () => keeps(7, UNICODE),
    escapes: () => keeps(8, ESCAPES),
    large: () => keeps(10, LARGE),
    returning: async () => {
      const rows = await sql`INSERT INTO patients ${sql(rowOf(11, 'Alan'))} RETURNING id, name, diagnosis`;
      assert.deepEqual([...rows], [{ id: 11, name: 'Alan', diagnosis: 'Alan' }]);
    },
    update: async () => {
      await sql`INSERT INTO patients ${sql(rowOf(12, 'before'))}`;
      await sql`UPDATE patients SET ${sql({ name: 'after', diagnosis: 'then' })} WHERE id = ${12}`;
      const rows = await sql`SELECT id, name, diagnosis, note FROM patients WHERE id = 12`;
      assert.deepEqual([...rows], [{ id: 12, name: 'after', diagnosis: 'then', note: 'before' }]);
    },
    rollback: async () => {
      const undone = sql.begin(async (transaction) => {
        await transaction`INSERT INTO patients ${transaction(rowOf(13, 'ROLLBACK'))}`;
        throw new Absent('rolled back');
      });
      await assert.rejects(undone, Absent);
      await sql.begin((transaction) => transaction`INSERT INTO patients ${transaction(rowOf(14, 'COMMIT'))}`);
      assert.deepEqual(await names(13, 14), ['COMMIT']);
    },
    cancel: async () => {
      const one = connect({ max: 1 });
      const pid = await pidOf(one);
      const query = one`SELECT pg_sleep(60)`;
      const sleeping = refusal(query.execute());
      await until(() => sleeps(pid));
      query.cancel();
      assert.match(await sleeping, /canceling statement/);
      assert.equal(await pidOf(one), pid, 'the session goes on');
      await one.end();
    },
    error: async () => {
      await sql`INSERT INTO patients ${sql(rowOf(15, 'once'))}`;
      await assert.rejects(async () => sql`INSERT INTO patients ${sql(rowOf(15, 'twice'))}`, { code: '23505' });
      assert.deepEqual(await names(15, 15), ['once']);
    },
    'two-connections': async () => {
      const second = connect({ max: 1 });
      await keeps(16, 'first');
      await keeps(17, 'second', second);
      assert.equal((await second`SELECT name FROM patients WHERE id = 16`).length, 1);
      assert.deepEqual(await names(17, 17), ['second']);
      await second.end();
    },
    close: async () => {
      const second = connect({ max: 1 });
      const pid = await pidOf(second);
      await second.end();
      await until(async () => !(await isOpen(pid)));
    },
    'wrong-ca': () => {
      const distrusting = connect({ ssl: tlsOptions(files.wrongCa), max: 1 });
      return refusal(distrusting`SELECT 1`.execute());
    },
  },
);
await Promise.all(pools.map((pool) => pool.end()));
