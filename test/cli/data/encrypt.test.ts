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
