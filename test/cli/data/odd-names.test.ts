/** Tables whose names are not ASCII, or need quotes, are encrypted like any. */
import t from 'tap';
import { migratingTables, SEARCHABLE } from './support/migrating.ts';

const ODD = "Ärzte Kartei 漢字 o'clock";

t.test('encrypts and proves a table of an odd name', async (t) => {
  const { postgres, of } = await migratingTables(t, SEARCHABLE, [ODD]);
  const { prepare, encrypt, verify } = of(ODD);
  const table = `"${ODD}"`;
  await postgres.owner.query(`CREATE TABLE ${table} (id int PRIMARY KEY, name text NOT NULL UNIQUE, ward text)`);
  await postgres.owner.query(`INSERT INTO ${table} SELECT g, 'name ' || g, 'A' FROM generate_series(1, 100) g`);
  await prepare();
  t.match(await encrypt({ old: 'drop' }), { outcome: 'switched', filled: 100 });
  t.match(await verify(), { outcome: 'proved', rows: 100, values: 100 });
});
