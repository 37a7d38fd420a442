/** The tool loses its session, or is asked to stop, wherever it may be; rows that cannot be encrypted; others who hold the table. */
import t, { type Test } from 'tap';
import type { Connection } from '../../../cli/data/connection.ts';
import { StopRequested } from '../../../runtime/abort.ts';
import { losing } from './support/losing.ts';
import { type Migrating, migratingTables, SEARCHABLE } from './support/migrating.ts';

const ROWS = 40;
/** The last one is too long for a batch. */
const LONG_BYTES = 300_000;
const nameOf = (id: number) => `name ${id}${id === ROWS ? 'x'.repeat(LONG_BYTES) : ''}`;
/** Every statement with EXISTING_STEP=1. */
const STEP = Number(process.env['EXISTING_STEP'] ?? 9);

async function fillPlain({ owner, prepare }: Migrating, table: string): Promise<void> {
  await owner.query(`CREATE TABLE ${table} (id int PRIMARY KEY, name text NOT NULL, ward text)`);
  await owner.query(
    `INSERT INTO ${table} SELECT g, 'name ' || g || repeat('x', ${LONG_BYTES} * (g = ${ROWS})::int), 'A' FROM generate_series(1, ${ROWS}) g`,
  );
  await prepare();
}

async function prepared(t: Test): Promise<Migrating> {
  const rig = (await migratingTables(t, SEARCHABLE, ['patients'])).of('patients');
  await fillPlain(rig, 'patients');
  return rig;
}

async function requireSwitched(t: Test, { postgres, owner, verify }: Migrating, table = 'patients'): Promise<void> {
  const client = await postgres.connect();
  const { rows } = await client.query(`SELECT id, name FROM ${table} ORDER BY id`);
  await client.end();
  t.same(
    rows,
    Array.from({ length: ROWS }, (_, index) => ({ id: index + 1, name: nameOf(index + 1) })),
  );
  t.match(await verify({ isBeforeDrop: true }), { outcome: 'proved', values: ROWS });
  const isRequired = `SELECT attnotnull FROM pg_attribute WHERE attrelid = '${table}'::regclass AND attname = 'name'`;
  t.same((await owner.query(isRequired)).rows, [{ attnotnull: true }]);
}

t.test('goes on where it loses its session at any statement, done or not', async (t) => {
  const names = Array.from({ length: 90 }, (_, at) => `patients_${at}`);
  const tables = await migratingTables(t, SEARCHABLE, names);
  let statements = Number.POSITIVE_INFINITY;
  for (let at = 1; at < statements; at += STEP) {
    const [name = '', rig] = [names[at], tables.of(names[at] ?? '')];
    await fillPlain(rig, name);
    let count = 0;
    const open = async () => {
      const connection = await rig.session();
      return losing(connection, rig.owner, () => {
        count += 1;
        return count === at ? (at % 2 === 0 ? 'before' : 'behind') : undefined;
      });
    };
    t.equal((await rig.encrypt({ open })).outcome, 'switched', `lost at statement ${at}`);
    statements = Math.min(statements, count);
    await requireSwitched(t, rig, name);
  }
  t.ok(statements > 40, `${statements} statements`);
});

t.test('ends behind a batch when it is asked to, and goes on from there', async (t) => {
  const rig = await prepared(t);
  const controller = new AbortController();
  const open = async () => {
    const connection = await rig.session();
    return losing(connection, rig.owner, (sql) => {
      if (sql.startsWith('UPDATE')) controller.abort(new StopRequested('received SIGINT'));
      return undefined;
    });
  };
  t.match(await rig.encrypt({ open, signal: controller.signal, maxRows: 10 }), { outcome: 'stopped' });
  const filled = 'SELECT count(*)::int AS filled FROM patients WHERE name_protected IS NOT NULL';
  t.same((await rig.owner.query(filled)).rows, [{ filled: 10 }], 'the batch is whole');
  t.match(await rig.encrypt(), { outcome: 'switched', filled: ROWS - 10 });
  await requireSwitched(t, rig);
});

t.test('names rows that cannot be encrypted, encrypts the others, and makes no switch', async (t) => {
  const rig = await prepared(t);
  await rig.owner.query(
    'ALTER TABLE patients ADD CONSTRAINT not_this CHECK (id NOT IN (7, 23) OR name_protected IS NULL)',
  );
  const report = await rig.encrypt();
  t.match(report, {
    outcome: 'refused',
    refused: [
      { key: ['7'], sqlState: '23514' },
      { key: ['23'], sqlState: '23514' },
    ],
    filled: ROWS - 2,
  });
  t.notMatch(JSON.stringify(report), /name 7/);
  t.equal((await rig.look()).side, 'plain');
  await rig.owner.query('ALTER TABLE patients DROP CONSTRAINT not_this');
  t.match(await rig.encrypt(), { outcome: 'switched', filled: 2 });
  await requireSwitched(t, rig);
});

t.test(
  'rejects a value that reads otherwise than it was given, and keeps nothing of its batch (CLI_DATA_DIFFERS)',
  async (t) => {
    const rig = await prepared(t);
    const open = async () => {
      const connection = await rig.session();
      const each: Connection['each'] = (sql, values, onRow) =>
        connection.each(sql, values, (row) =>
          onRow(sql.startsWith('UPDATE') && row[0] === '12' ? [row[0], 'another'] : row),
        );
      return { ...connection, each };
    };
    await t.rejects(rig.encrypt({ open }), { code: 'CLI_DATA_DIFFERS', found: 'row 12' });
    t.same((await rig.owner.query('SELECT id FROM patients WHERE id = 12 AND name_protected IS NOT NULL')).rows, []);
  },
);

t.test('leaves a row that changes between reading and storing for the next pass', async (t) => {
  const rig = await prepared(t);
  let isFirst = true;
  const open = async () => {
    const connection = await rig.session();
    const each: Connection['each'] = async (sql, values, onRow) => {
      if (sql.startsWith('UPDATE') && isFirst) {
        isFirst = false;
        await rig.owner.query("UPDATE patients SET name = 'another' WHERE id = 3");
        await rig.owner.query("INSERT INTO patients VALUES (0, 'earlier', 'A')");
      }
      return connection.each(sql, values, onRow);
    };
    return { ...connection, each };
  };
  t.match(await rig.encrypt({ open }), { outcome: 'switched' });
  const client = await rig.postgres.connect();
  t.same((await client.query('SELECT name FROM patients WHERE id IN (0, 3) ORDER BY id')).rows, [
    { name: 'earlier' },
    { name: 'another' },
  ]);
});

t.test('waits for nobody for long, and switches when the table is free', async (t) => {
  const rig = await prepared(t);
  const other = await rig.postgres.connect();
  await other.query('BEGIN');
  await other.query('SELECT count(*) FROM patients');
  const told: string[] = [];
  const report = await rig.encrypt({
    lock: { lockTimeoutMs: 50, patienceMs: 60_000 },
    told: (text) => {
      told.push(text);
      if (/in use/.test(text)) void other.query('COMMIT');
    },
  });
  t.match(report, { outcome: 'switched' });
  t.ok(told.some((text) => /in use/.test(text)));
});

t.test('rejects a table that others never let go (CLI_DATA_LOCK), and leaves it as it was', async (t) => {
  const rig = await prepared(t);
  const other = await rig.postgres.connect();
  await other.query('BEGIN');
  await other.query('SELECT count(*) FROM patients');
  await t.rejects(rig.encrypt({ lock: { lockTimeoutMs: 20, patienceMs: 0 } }), { code: 'CLI_DATA_LOCK' });
  await other.query('COMMIT');
  t.equal((await rig.look()).side, 'plain');
});

t.test('waits for an acra-server that takes no value, and calls no row one that cannot be encrypted', async (t) => {
  const rig = await prepared(t);
  let left = 4;
  const open = async (): Promise<Connection> => {
    const connection = await rig.session();
    return {
      ...connection,
      each: async (sql, values, onRow) => {
        if (sql.startsWith('UPDATE') && left-- > 0) throw Object.assign(new Error('refused'), { code: '58000' });
        return connection.each(sql, values, onRow);
      },
    };
  };
  t.match(await rig.encrypt({ open }), { outcome: 'switched', refused: [], filled: ROWS });
  t.ok(left < 0, 'it was asked again');
  await requireSwitched(t, rig);
});
