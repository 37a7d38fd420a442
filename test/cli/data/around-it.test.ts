/** What others do to the table and the database while rows are encrypted. */
import t, { type Test } from 'tap';
import { type Migrating, migrating, SEARCHABLE } from './support/migrating.ts';

const TABLE = 'CREATE TABLE patients (id int PRIMARY KEY, name text NOT NULL, ward text)';
const ROWS = 40;

async function prepared(t: Test): Promise<Migrating> {
  const rig = await migrating(t, SEARCHABLE, TABLE);
  await rig.owner.query(`INSERT INTO patients SELECT g, 'name ' || g, 'A' FROM generate_series(1, ${ROWS}) g`);
  await rig.prepare();
  return rig;
}

/** Once, between reading and storing. */
const before = (rig: Migrating, change: () => Promise<unknown>) => {
  let isFirst = true;
  return async () => {
    const connection = await rig.session();
    const each: typeof connection.each = async (sql, values, onRow) => {
      if (sql.startsWith('UPDATE') && isFirst) {
        isFirst = false;
        await change();
      }
      return connection.each(sql, values, onRow);
    };
    return { ...connection, each };
  };
};

t.test('switches a table without rows', async (t) => {
  const rig = await migrating(t, SEARCHABLE, TABLE);
  await rig.prepare();
  t.match(await rig.encrypt({ old: 'drop' }), { outcome: 'switched', filled: 0 });
  t.match(await rig.verify(), { outcome: 'proved', rows: 0, values: 0 });
});

t.test('encrypts every row of a table that is rewritten meanwhile', async (t) => {
  const rig = await prepared(t);
  const open = before(rig, () => rig.owner.query('VACUUM FULL patients'));
  t.match(await rig.encrypt({ open }), { outcome: 'switched', filled: ROWS });
  t.match(await rig.verify({ isBeforeDrop: true }), { outcome: 'proved', values: ROWS });
});

t.test('waits for a database whose disk is full (53100), and goes on', async (t) => {
  const { owner, encrypt, verify } = await prepared(t);
  await owner.query(`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100', MESSAGE = 'could not extend file'; END $$`);
  await owner.query(
    'CREATE TRIGGER full_disk BEFORE UPDATE ON patients FOR EACH ROW WHEN (old.id = 33) EXECUTE FUNCTION full_disk()',
  );
  const mends: Promise<unknown>[] = [];
  const told = (text: string) => {
    if (/53100/.test(text)) mends.push(owner.query('DROP TRIGGER full_disk ON patients'));
  };
  t.match(await encrypt({ told, tellOfSessions: told }), { outcome: 'switched', refused: [], filled: ROWS });
  t.equal(mends.length, 1);
  t.match(await verify({ isBeforeDrop: true }), { outcome: 'proved', values: ROWS });
});

for (const level of ['REPEATABLE READ', 'SERIALIZABLE']) {
  t.test(
    `lets no transaction (${level}) write what it does not see: a row that was filled, or a column that is no more`,
    async (t) => {
      const rig = await prepared(t);
      const [late, other] = [await rig.postgres.connect(), await rig.postgres.connect()];
      await late.query(`BEGIN ISOLATION LEVEL ${level}`);
      await late.query('SELECT 1');
      await other.query(`BEGIN ISOLATION LEVEL ${level}`);
      await other.query('SELECT count(*) FROM patients');
      let seen: Promise<unknown> | undefined;
      const write = async () => {
        await t.rejects(other.query("UPDATE patients SET name = 'other' WHERE id = 7"), { code: '40001' });
        await other.query('ROLLBACK');
      };
      const told = (text: string) => {
        if (/in use/.test(text)) seen ??= write();
      };
      t.match(await rig.encrypt({ told, lock: { lockTimeoutMs: 50, patienceMs: 60_000 } }), { outcome: 'switched' });
      await seen;
      await t.rejects(late.query("UPDATE patients SET name = 'late' WHERE id = 8"), { code: '57P01' });
      const client = await rig.postgres.connect();
      const { rows } = await client.query('SELECT name FROM patients WHERE id IN (7, 8) ORDER BY id');
      t.same(rows, [{ name: 'name 7' }, { name: 'name 8' }]);
      t.match(await rig.verify({ isBeforeDrop: true }), { outcome: 'proved', values: ROWS });
    },
  );
}
