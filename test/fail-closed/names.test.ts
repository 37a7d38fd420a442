/** What SQL names in a session, and what a name means later: PREPARE and EXECUTE, cursors, and refusals in the middle of other statements. */
import type pg from 'pg';
import t from 'tap';
import { BEFORE, OTHER, STORED } from './support/form.ts';
import { guardedPlace } from './support/place.ts';
import { wasSeen } from './support/run-form.ts';

const [FIRST, SECOND] = BEFORE;

t.test('names in a session through the guard', async (t) => {
  const { application, owner, heard } = await guardedPlace(t);
  const ask = async (sql: string, values?: unknown[]) => (await application.query(sql, values)).rows;
  const stored = async () =>
    (await application.query<{ id: number; email: string; diagnosis: string }>('SELECT * FROM patients ORDER BY id'))
      .rows;
  t.beforeEach(async () => {
    await owner.query('TRUNCATE patients');
    for (const [index, value] of BEFORE.entries())
      await ask('INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $3)', [index + 1, 'n', value]);
    await ask('DEALLOCATE ALL');
  });
  const refused = (sql: string, code = '0A000') => t.rejects(ask(sql), { code, message: /^refused by acra-enclave: / });

  await t.test('encrypts the values of EXECUTE, and reads its rows', async (t) => {
    await ask('PREPARE p (int, text) AS UPDATE patients SET diagnosis = $2 WHERE id = $1 RETURNING email, diagnosis');
    t.same(await ask(`EXECUTE p(1, '${STORED}')`), [{ email: FIRST, diagnosis: STORED }]);
    await ask('PREPARE find AS SELECT id FROM patients WHERE email = $1');
    t.same(await ask(`EXECUTE find('${SECOND}')`), [{ id: 2 }]);
    await ask('PREPARE among (text[]) AS SELECT id, email FROM patients WHERE email = ANY ($1) ORDER BY id');
    t.same(await ask(`EXECUTE among(ARRAY['${SECOND}', '${OTHER}'])`), [{ id: 2, email: SECOND }]);
    t.same(await ask(`EXECUTE among('{${FIRST}}')`), [{ id: 1, email: FIRST }]);
    t.same((await stored())[0]?.diagnosis, STORED);
  });

  await t.test('encrypts the values of EXECUTE for what is prepared in the same text, and later', async (t) => {
    const all = (await application.query(
      `PREPARE p AS UPDATE patients SET diagnosis = $2 WHERE id = $1 RETURNING diagnosis; EXECUTE p(1, '${STORED}'); DEALLOCATE p;
       PREPARE p AS SELECT id FROM patients WHERE email = $1; EXECUTE p('${SECOND}')`,
    )) as unknown as pg.QueryResult[];
    t.same([all[1]?.rows, all[4]?.rows], [[{ diagnosis: STORED }], [{ id: 2 }]]);
    t.same(await ask(`EXECUTE p('${FIRST}')`), [{ id: 1 }]);
  });

  await t.test('gives no value to a parameter with a second use by EXECUTE', async () => {
    const insert = { name: 'twice', text: 'INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $3)' };
    await application.query({ ...insert, values: [9, 'n', OTHER] });
    await refused(`EXECUTE twice(8, 'n', '${STORED}')`);
  });

  await t.test('gives values to no statement that it did not see prepared, or that is gone', async () => {
    await refused(`EXECUTE unknown('${STORED}')`);
    await ask('PREPARE p AS INSERT INTO patients (id, name, diagnosis) VALUES ($1, $2, $3)');
    await ask('DEALLOCATE p');
    await refused(`EXECUTE p(9, 'n', '${STORED}')`);
    await ask('PREPARE p AS INSERT INTO patients (id, name, diagnosis) VALUES ($1, $2, $3)');
    await ask('DISCARD ALL');
    await refused(`EXECUTE p(9, 'n', '${STORED}')`);
  });

  await t.test('keeps what a name means when preparing it once more fails', async (t) => {
    await ask('PREPARE p AS INSERT INTO patients (id, name, diagnosis) VALUES ($1, $2, $3)');
    await t.rejects(ask('PREPARE p AS SELECT $1::int, $2::text, $3::text'), { code: '42P05' });
    await ask(`EXECUTE p(9, 'n', '${STORED}')`);
    t.equal((await stored()).at(-1)?.diagnosis, STORED);
  });

  await t.test(
    'gives the values of a parsed EXECUTE to no other statement than the one that they were given to',
    async () => {
      const execute = { name: 'executes', text: `EXECUTE p('${STORED}')`, values: [], queryMode: 'extended' };
      await ask('PREPARE p AS SELECT id FROM patients WHERE email = $1');
      await application.query(execute);
      await ask('DEALLOCATE p');
      await ask("PREPARE p AS INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', $1)");
      await t.rejects(application.query({ ...execute }), { code: '0A000', message: /^refused by acra-enclave: / });
    },
  );

  await t.test('reads what cursors hold, by SQL and in one text', async (t) => {
    await ask('BEGIN');
    await ask('DECLARE c SCROLL CURSOR FOR SELECT id, email FROM patients ORDER BY id');
    t.same(await ask('FETCH 1 FROM c'), [{ id: 1, email: FIRST }]);
    t.same(await ask('FETCH ALL FROM c'), [{ id: 2, email: SECOND }]);
    t.same(await ask('FETCH FIRST FROM c', []), [{ id: 1, email: FIRST }]);
    await ask('CLOSE c');
    await ask('DECLARE c CURSOR FOR SELECT diagnosis FROM patients WHERE id = 2');
    t.same(await ask('FETCH c'), [{ diagnosis: SECOND }]);
    await ask('COMMIT');
    const all = (await application.query(
      'BEGIN; DECLARE d CURSOR FOR SELECT email FROM patients WHERE id = 1; FETCH d; COMMIT',
    )) as unknown as pg.QueryResult[];
    t.same(all[2]?.rows, [{ email: FIRST }]);
  });

  await t.test('reads the rows of each statement of a text', async (t) => {
    const all = (await application.query(
      `SELECT id FROM patients; SELECT diagnosis, id FROM patients WHERE email = '${SECOND}'; SELECT email FROM patients WHERE id = 1`,
    )) as unknown as pg.QueryResult[];
    t.same(
      all.map(({ rows }) => rows),
      [[{ id: 1 }, { id: 2 }], [{ diagnosis: SECOND, id: 2 }], [{ email: FIRST }]],
    );
  });

  await t.test('leaves a transaction as PostgreSQL does after a statement that failed', async (t) => {
    await ask('BEGIN');
    await ask("INSERT INTO patients (id, name) VALUES (9, 'n')");
    await ask('SAVEPOINT s');
    await refused(`UPDATE patients SET diagnosis = upper('${STORED}')`);
    await t.rejects(ask('SELECT 1'), { code: '25P02' });
    await ask('ROLLBACK TO s');
    await ask('UPDATE patients SET diagnosis = $1 WHERE id = 9', [OTHER]);
    await ask('COMMIT');
    t.equal((await stored()).at(-1)?.diagnosis, OTHER);
    await refused(
      `INSERT INTO patients (id, name) VALUES (10, 'n'); UPDATE patients SET diagnosis = upper('${STORED}')`,
    );
    t.equal((await stored()).length, 3, 'nothing of a text is carried out that holds a refused statement');
  });

  await t.test('sends the database no value of what it refuses in a pipeline', async (t) => {
    await t.rejects(ask('UPDATE patients SET diagnosis = upper($1)', [STORED]), { code: '0A000' });
    await t.rejects(ask('SELECT id FROM patients WHERE lower(email) = $1', [STORED]), { code: '0A000' });
    t.same(await ask('SELECT id FROM patients WHERE email = $1', [FIRST]), [{ id: 1 }], 'and the session goes on');
  });

  t.notOk(wasSeen(heard), 'the database was sent no plaintext in all of this');

  await t.test('rejects text that another client_encoding would make something else of, both ways', async (t) => {
    const update = (value: string) => ask('UPDATE patients SET diagnosis = $1 WHERE id = 1', [value]);
    await update('Ärger');
    await ask('SET client_encoding = LATIN1');
    await t.rejects(ask('SELECT diagnosis FROM patients WHERE id = 1'), { code: '22021' });
    await t.rejects(update('Übel'), { code: '22021' });
    await update('plain');
    t.same(await ask('SELECT diagnosis FROM patients WHERE id = 1'), [{ diagnosis: 'plain' }]);
    await ask('SET client_encoding = UTF8');
    await update('Übel');
    t.same(await ask('SELECT diagnosis FROM patients WHERE id = 1'), [{ diagnosis: 'Übel' }]);
  });
});
