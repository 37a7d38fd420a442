/** Values that a database would take another way: views, functions, triggers and partitions that it has and nobody configured. */
import t from 'tap';
import { BEFORE, OTHER, STORED } from './support/form.ts';
import { guardedPlace } from './support/place.ts';
import { wasSeen } from './support/run-form.ts';

/** Behind each of these a value would stand in the protected table. */
const HIDDEN = `
CREATE VIEW patient_view AS SELECT * FROM patients;
CREATE VIEW pg_patients AS SELECT * FROM patients;
CREATE VIEW renamed AS SELECT id, email AS address FROM patients;
CREATE TABLE patients_child () INHERITS (patients);
CREATE TABLE notes (id integer PRIMARY KEY, note text);
CREATE FUNCTION save(given text) RETURNS void LANGUAGE sql AS $$ INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', given::bytea) $$;
CREATE FUNCTION touch(given text) RETURNS text LANGUAGE sql AS $$ SELECT upper(given) $$;
GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC;`;

const WAYS = [
  `INSERT INTO patient_view (id, name, diagnosis) VALUES (9, 'n', '${STORED}')`,
  `UPDATE patient_view SET diagnosis = '${STORED}'`,
  `INSERT INTO patients_child (id, name, diagnosis) VALUES (9, 'n', '${STORED}')`,
  `SELECT save('${STORED}')`,
  `DO $$ BEGIN PERFORM save('${STORED}'); END $$`,
  `SELECT id FROM patient_view WHERE email = '${STORED}'`,
  `SELECT id FROM patients_child WHERE diagnosis LIKE '${STORED}%'`,
  `SELECT * FROM renamed AS r (i, a) WHERE a = '${STORED}'`,
  `SELECT id FROM renamed WHERE address = '${STORED}'`,
  `SELECT id FROM renamed WHERE starts_with(address::text, '${STORED}')`,
  `SELECT id FROM renamed WHERE position('${STORED}'::bytea IN address) > 0`,
  `SELECT id FROM renamed WHERE address::text ~ ANY (SELECT '${STORED}')`,
  `SELECT id FROM patients p WHERE (SELECT r.address FROM renamed r WHERE r.id = p.id) > '${STORED}'`,
  `SELECT 1 WHERE '${STORED}' = ANY (ARRAY(SELECT encode(address, 'escape') FROM renamed))`,
  `SELECT r.id FROM renamed r, encode(r.address, 'escape') t (v) WHERE t.v = '${STORED}'`,
  `SELECT r.id FROM renamed r, upper('${STORED}') t (v) WHERE upper(r.address::text) = t.v`,
  `SELECT r.id FROM renamed r WHERE r.address::text IN (SELECT * FROM string_to_table('${STORED}', ','))`,
  `SELECT 1 FROM (SELECT * FROM renamed JOIN patients_child c USING (id)) j JOIN renamed USING (id) WHERE j.address = '${STORED}'`,
  `SELECT a FROM (SELECT address::text FROM renamed UNION ALL SELECT '${STORED}') u (a) GROUP BY a`,
  `SELECT 1 FROM (SELECT coalesce(address, '${STORED}') AS a FROM renamed) x JOIN renamed r ON x.a = r.address`,
  `WITH RECURSIVE t (x) AS (SELECT '${STORED}'::bytea UNION SELECT r.address FROM t JOIN renamed r ON r.address = t.x) SELECT x FROM t`,
  `UPDATE patients p SET diagnosis = CASE r.address WHEN '${STORED}' THEN 'a' ELSE 'b' END FROM renamed r WHERE r.id = p.id`,
  `SELECT id FROM pg_patients WHERE email = '${STORED}'`,
  `SELECT save(v.a) FROM (VALUES ('${STORED}')) v (a)`,
  `SELECT save(x) FROM unnest(ARRAY['${STORED}']) x`,
  `SELECT (v.a).save FROM (SELECT '${STORED}'::text AS a) v`,
];

t.test('what a database has that nobody configured', async (t) => {
  const place = await guardedPlace(t, { guardList: { relations: ['notes'], functions: ['touch'] } });
  const { application, owner, heard } = place;
  await owner.query(HIDDEN);
  const values = [1, 'n', BEFORE[0]];
  await application.query('INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $3)', values);

  for (const sql of WAYS) {
    await t.test(`rejects ${sql}, and sends nothing of it`, async (t) => {
      const expected = { code: '42501', message: /^refused by acra-enclave: / };
      await t.rejects(application.query(sql), expected);
      const text = sql.replace(`'${STORED}'`, '$1');
      if (text !== sql && !sql.startsWith('DO')) await t.rejects(application.query(text, [STORED]), expected);
      t.notOk(wasSeen(heard));
    });
  }

  await t.test('keeps what the measured list names', async (t) => {
    await application.query('INSERT INTO notes VALUES ($1, $2)', [1, OTHER]);
    t.same((await application.query(`SELECT touch(note) AS shouted, touch('x') AS x FROM notes WHERE id = 1`)).rows, [
      { shouted: OTHER.toUpperCase(), x: 'X' },
    ]);
    t.same((await application.query(`DELETE FROM notes WHERE note = '${OTHER}' RETURNING id`)).rows, [{ id: 1 }]);
  });

  await t.test('reads from others, protected columns as they are stored', async (t) => {
    const { rows } = await application.query<{ email: Buffer }>('SELECT email FROM patient_view');
    const [stored] = (await owner.query('SELECT email FROM patients WHERE id = 1')).rows;
    t.same(rows, [stored]);
  });
});
