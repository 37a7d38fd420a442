/** Whoever writes past the enclave does no harm until the switch, also where a whole row is written back, or a copy of it. */
import t from 'tap';
import { migrating, SEARCHABLE } from './support/migrating.ts';

const TABLE = 'CREATE TABLE patients (id int PRIMARY KEY, name text, ward text)';

t.test('keeps what is written with the protected form of another value', async (t) => {
  const { owner, prepare, encrypt, session, postgres } = await migrating(t, SEARCHABLE, TABLE);
  await owner.query("INSERT INTO patients SELECT g, 'name ' || g, 'A' FROM generate_series(1, 4) g");
  await prepare();
  // A row that cannot be encrypted stops the switch, and the others are filled.
  await owner.query("INSERT INTO patients VALUES (5, '%%%' || repeat('x', 9), 'A')");
  const fill = async () => {
    const connection = await session();
    for (const id of [1, 2, 3, 4]) {
      const sql = 'UPDATE patients SET name_protected = $1 WHERE id = $2 AND name_protected IS NULL';
      await connection.each(sql, [`name ${id}`, `${id}`], () => undefined);
    }
    await connection.end();
  };
  await fill();
  const [row] = (await owner.query('SELECT * FROM patients WHERE id = 1')).rows;
  await t.test('in a copy of a row', async () => {
    await owner.query('INSERT INTO patients VALUES ($1, $2, $3, $4)', [6, 'copy', row.ward, row.name_protected]);
  });
  await t.test('in a row that was read before another change', async () => {
    await owner.query("UPDATE patients SET name = 'between' WHERE id = 1");
    const connection = await session();
    await connection.each("UPDATE patients SET name_protected = 'between' WHERE id = 1", [], () => undefined);
    await connection.end();
    const sql = 'UPDATE patients SET name = $1, name_protected = $2 WHERE id = 1';
    await owner.query(sql, ['last', row.name_protected]);
  });
  await t.test('in a row of which only that is written', async () => {
    await owner.query('UPDATE patients SET name_protected = $1 WHERE id = 2', [row.name_protected]);
  });
  await owner.query('DELETE FROM patients WHERE id = 5');
  t.equal((await encrypt()).outcome, 'switched');
  const client = await postgres.connect();
  t.same((await client.query('SELECT id, name FROM patients ORDER BY id')).rows, [
    { id: 1, name: 'last' },
    { id: 2, name: 'name 2' },
    { id: 3, name: 'name 3' },
    { id: 4, name: 'name 4' },
    { id: 6, name: 'copy' },
  ]);
});
