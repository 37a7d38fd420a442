/** Unique values of a searchable column: an index on their hashes keeps them so, and ON CONFLICT finds them by it. */
import t from 'tap';
import { BEFORE, OTHER, STORED } from './support/form.ts';
import { guardedPlace } from './support/place.ts';
import { wasSeen } from './support/run-form.ts';

const [FIRST, SECOND] = BEFORE;
const UNIQUE = `
CREATE UNIQUE INDEX patients_email_unique ON patients (substr(email, 1, 33));
CREATE UNIQUE INDEX patients_name_email_unique ON patients (name, substr(email, 1, 33));`;

t.test('unique values of a searchable column', async (t) => {
  const place = await guardedPlace(t, { guardList: { uniqueSearches: ['patients.email', 'patients.(email,name)'] } });
  const { application, owner, heard } = place;
  const ask = async (sql: string, values?: unknown[]) => (await application.query(sql, values)).rows;
  const rows = () => ask('SELECT id, email, diagnosis FROM patients ORDER BY id');
  const values = [FIRST, SECOND];
  await owner.query(UNIQUE);
  t.beforeEach(async () => {
    await owner.query('TRUNCATE patients');
    for (const [index, value] of values.entries())
      await ask('INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $3)', [index + 1, 'n', value]);
  });
  const second = { id: 2, email: SECOND, diagnosis: SECOND };

  await t.test('rejects an equal value (23505)', async (t) => {
    await t.rejects(ask(`INSERT INTO patients (id, name, email) VALUES (9, 'm', '${FIRST}')`), { code: '23505' });
    await t.rejects(ask('UPDATE patients SET email = $1 WHERE id = 2', [FIRST]), { code: '23505' });
    t.equal((await rows()).length, 2);
  });

  for (const target of [
    '(email)',
    '(name, email)',
    '("email") WHERE email IS NOT NULL',
    '(substr(email, 1, 33))',
    '',
  ]) {
    await t.test(`finds it: ON CONFLICT ${target} DO NOTHING`, async (t) => {
      const sql = `INSERT INTO patients (id, name, email) VALUES (9, 'n', $1) ON CONFLICT ${target} DO NOTHING RETURNING id`;
      t.same(await ask(sql, [FIRST]), []);
      t.same(await ask(sql.replace('$1', `'${FIRST}'`)), []);
      t.same(await ask(sql, [OTHER]), [{ id: 9 }]);
      t.equal((await rows()).length, 3);
    });
  }

  await t.test('updates the row that has it', async (t) => {
    const sql = `INSERT INTO patients AS p (id, name, email, diagnosis) VALUES (9, 'n', $1, $2)
      ON CONFLICT (email) DO UPDATE SET diagnosis = excluded.diagnosis WHERE p.email = excluded.email RETURNING id, email, diagnosis`;
    const updated = { id: 1, email: FIRST, diagnosis: STORED };
    t.same(await ask(sql, [FIRST, STORED]), [updated]);
    t.same(await rows(), [updated, second]);
    t.same(await ask(sql.replace('$1', `'${SECOND}'`).replace('$2', `'${OTHER}'`)), [{ ...second, diagnosis: OTHER }]);
  });

  await t.test('says 42P10 where the database has no such index', async (t) => {
    await owner.query('DROP INDEX patients_email_unique');
    await t.rejects(
      ask(`INSERT INTO patients (id, name, email) VALUES (9, 'n', '${FIRST}') ON CONFLICT (email) DO NOTHING`),
      {
        code: '42P10',
        message: /^there is no unique or exclusion constraint/,
      },
    );
    await owner.query('CREATE UNIQUE INDEX patients_email_unique ON patients (substr(email, 1, 33))');
  });

  for (const target of ['(diagnosis)', '(id, email)', '(substr(email, 1, 32))'])
    await t.test(`rejects ON CONFLICT ${target} (0A000)`, async (t) => {
      const sql = `INSERT INTO patients (id, name, email) VALUES (9, 'n', $1) ON CONFLICT ${target} DO NOTHING`;
      await t.rejects(ask(sql, [FIRST]), { code: '0A000', message: /^refused by acra-enclave: / });
    });

  t.notOk(wasSeen(heard), 'the database was sent no plaintext in all of this');
});
