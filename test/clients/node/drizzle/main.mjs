/** Drizzle on node-postgres goes through the checks. Its packages lie where `CLIENT_MODULES` says. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import {
  Absent,
  ESCAPES,
  endpoint,
  files,
  LARGE,
  refusal,
  runChecks,
  tlsOptions,
  UNICODE,
  until,
} from '../checks.ts';

const modules = join(process.env['CLIENT_MODULES'], 'node_modules');
const require = createRequire(join(modules, 'none'));
const versionOf = (name) => JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')).version;
const pg = require('pg');
const { drizzle } = require('drizzle-orm/node-postgres');
const { integer, pgTable, text } = require('drizzle-orm/pg-core');
const { asc, between, eq, sql } = require('drizzle-orm');

const patients = pgTable('patients', {
  id: integer('id').primaryKey(),
  name: text('name'),
  diagnosis: text('diagnosis'),
  note: text('note'),
});

/** A check that fails may leave one open. */
const pools = [];

function poolOf(ca = files.ca) {
  const pool = new pg.Pool({ ...endpoint, ssl: tlsOptions(ca) });
  pools.push(pool);
  return pool;
}

const pool = poolOf();
const db = drizzle(pool);

const rowOf = (id, value) => ({ id, name: value, diagnosis: value, note: value });
const numbered = (count) => Array.from({ length: count }, (_, index) => `name ${index}`);
const load = (id, by = db) => by.select().from(patients).where(eq(patients.id, id));
const pidOf = async (by) => (await by.execute(sql`SELECT pg_backend_pid() AS pid`)).rows[0].pid;
const activity = async (pid) =>
  (await db.execute(sql`SELECT wait_event FROM pg_stat_activity WHERE pid = ${pid}`)).rows[0];

async function keeps(id, value, by = db) {
  await by.insert(patients).values(rowOf(id, value));
  assert.deepEqual(await load(id, by), [rowOf(id, value)]);
}

async function names(first, last) {
  const { id, name } = patients;
  const rows = await db.select({ name }).from(patients).where(between(id, first, last)).orderBy(asc(id));
  return rows.map((row) => row.name);
}

const none = (reason) => async () => {
  throw new Absent(reason);
};

await runChecks(
  {
    version: versionOf('drizzle-orm'),
    mode: `ORM on node-postgres ${versionOf('pg')}`,
  },
  {
    connect: async () => assert.deepEqual((await db.execute(sql`SELECT 1 AS one`)).rows, [{ one: 1 }]),
    literals: async () => {
      await db.execute(sql`INSERT INTO patients (id, name, diagnosis, note) VALUES (1, 'Ada', 'gout', 'plain')`);
      assert.deepEqual(await load(1), [{ id: 1, name: 'Ada', diagnosis: 'gout', note: 'plain' }]);
    },
    'parameters-text': () => keeps(2, 'Grace'),
    'parameters-binary': none('sends texts as text'),
    search: async () => {
      await db.insert(patients).values(rowOf(4, 'Barbara'));
      const find = (name) => db.select({ id: patients.id }).from(patients).where(eq(patients.name, name));
      assert.deepEqual(await find('Barbara'), [{ id: 4 }]);
      assert.deepEqual(await find('barbara'), []);
    },
    'prepared-50': async () => {
      const place = sql.placeholder;
      const values = { id: place('id'), name: place('name'), diagnosis: place('name'), note: place('name') };
      const store = db.insert(patients).values(values).prepare('store');
      const read = db.select().from(patients).where(eq(patients.id, place('id'))).prepare('read');
      for (const [index, name] of numbered(50).entries()) {
        await store.execute({ id: 100 + index, name });
        assert.deepEqual(await read.execute({ id: 100 + index }), [rowOf(100 + index, name)]);
      }
    },
    batch: async () => {
      await db.insert(patients).values(numbered(20).map((name, index) => rowOf(200 + index, name)));
      assert.deepEqual(await names(200, 219), numbered(20));
    },
    pipeline: none('has no pipelines'),
    null: () => keeps(5, null),
    empty: () => keeps(6, ''),
    unicode: () => keeps(7, UNICODE),
    escapes: () => keeps(8, ESCAPES),
    large: () => keeps(10, LARGE),
    returning: async () => assert.deepEqual(await db.insert(patients).values(rowOf(11, 'Alan')).returning(), [rowOf(11, 'Alan')]),
    update: async () => {
      await db.insert(patients).values(rowOf(12, 'before'));
      await db.update(patients).set({ name: 'after', diagnosis: 'then' }).where(eq(patients.id, 12));
      assert.deepEqual(await load(12), [{ id: 12, name: 'after', diagnosis: 'then', note: 'before' }]);
    },
    rollback: async () => {
      const undone = db.transaction(async (transaction) => {
        await transaction.insert(patients).values(rowOf(13, 'rollback'));
        transaction.rollback();
      });
      await assert.rejects(undone, /Rollback/);
      await db.transaction((transaction) => transaction.insert(patients).values(rowOf(14, 'commit')));
      assert.deepEqual(await names(13, 14), ['commit']);
    },
    cancel: none('cannot cancel'),
    error: async () => {
      await db.insert(patients).values(rowOf(15, 'once'));
      await assert.rejects(db.insert(patients).values(rowOf(15, 'twice')), ({ cause }) => cause.code === '23505');
      assert.deepEqual(await names(15, 15), ['once']);
    },
    'two-connections': async () => {
      const second = poolOf();
      await keeps(16, 'first');
      await keeps(17, 'second', drizzle(second));
      assert.deepEqual(await load(16, drizzle(second)), [rowOf(16, 'first')]);
      assert.deepEqual(await load(17), [rowOf(17, 'second')]);
      await second.end();
    },
    close: async () => {
      const second = poolOf();
      const pid = await pidOf(drizzle(second));
      await second.end();
      await until(async () => (await activity(pid)) === undefined);
    },
    'wrong-ca': async () => {
      const { cause } = await drizzle(poolOf(files.wrongCa))
        .execute(sql`SELECT 1`)
        .then(() => assert.fail('it was not refused'), (error) => error);
      return refusal(Promise.reject(cause));
    },
  },
);
await Promise.all(pools.map((each) => (each.ended ? undefined : each.end())));
