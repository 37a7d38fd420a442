/** Existing rows are encrypted through a guard before a real PostgreSQL. */
import t from 'tap';
import { migrating, SEARCHABLE } from './support/migrating.ts';

const TABLE = 'CREATE TABLE patients (id int PRIMARY KEY, name text NOT NULL, ward text)';

t.test('encrypts what is there, switches, and leaves what applications read as it was', async (t) => {
  const { owner, prepare, encrypt, session, postgres } = await migrating(t, SEARCHABLE, TABLE);
  await owner.query("INSERT INTO patients SELECT g, 'name ' || g, 'A' FROM generate_series(1, 1000) g");
  await prepare();
  const report = await encrypt();
  t.match(report, { outcome: 'switched', toFill: 1000, filled: 1000, underLock: 0, refused: [] });
  const client = await postgres.connect();
  const { rows } = await client.query('SELECT * FROM patients ORDER BY id');
  t.same(rows.slice(0, 2), [
    { id: 1, name: 'name 1', ward: 'A' },
    { id: 2, name: 'name 2', ward: 'A' },
  ]);
  t.equal(rows.length, 1000);
  t.same((await client.query("SELECT id FROM patients WHERE name = 'name 77'")).rows, [{ id: 77 }]);
  t.equal((await encrypt({ old: 'drop' })).outcome, 'switched');
  const columns = await owner.query(
    "SELECT attname, attnotnull FROM pg_attribute WHERE attrelid = 'patients'::regclass AND attnum > 0 AND NOT attisdropped",
  );
  t.same(columns.rows, [
    { attname: 'id', attnotnull: true },
    { attname: 'ward', attnotnull: false },
    { attname: 'name', attnotnull: true },
  ]);
  await (await session()).end();
});

t.test('keeps a unique column unique on both sides of the switch', async (t) => {
  const table = 'CREATE TABLE patients (id int PRIMARY KEY, name text UNIQUE, ward text)';
  const { owner, prepare, encrypt, postgres } = await migrating(t, SEARCHABLE, table);
  await owner.query("INSERT INTO patients SELECT g, 'name ' || g, 'A' FROM generate_series(1, 100) g");
  await prepare();
  t.match(await encrypt({ old: 'drop' }), { outcome: 'switched', findings: [{ code: 'MIGRATION_UNIQUE_ENDS' }] });
  const client = await postgres.connect();
  await t.rejects(client.query("INSERT INTO patients (id, name) VALUES (200, 'name 5')"), { code: '23505' });
  await client.query("INSERT INTO patients (id, name) VALUES (200, 'name 200')");
});

t.test('changes nothing where the table is not there, or not prepared', async (t) => {
  const { owner, encrypt } = await migrating(t, SEARCHABLE, 'SELECT 1');
  t.match(await encrypt(), { outcome: 'findings', findings: [{ code: 'MIGRATION_TABLE' }] });
  await owner.query(TABLE);
  t.match(await encrypt(), { outcome: 'findings', side: 'unprepared' });
});

t.test('tells a refusal of the database by its state (CLI_DATA_REFUSED)', async (t) => {
  const { owner, prepare, encrypt, session } = await migrating(t, SEARCHABLE, TABLE);
  await owner.query("INSERT INTO patients VALUES (1, 'SECRET', 'A')");
  await prepare();
  const open = async () => {
    const connection = await session();
    await connection.each('SET default_transaction_read_only = on', [], () => undefined);
    return connection;
  };
  const error = await encrypt({ open }).catch((thrown: unknown) => thrown);
  t.match(error, { code: 'CLI_DATA_REFUSED', found: /^25006 / });
  t.notMatch(String(error), /SECRET/);
});
