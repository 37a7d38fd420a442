/** Definitions about a protected table, by an application that owns it. */
import t from 'tap';
import { script } from '../../acra/belts/script.ts';
import { parseEncryptorConfig } from '../../acra/encryptor-config/lint.ts';
import { APPLICATION, ENCRYPTOR_YAML, OWNER, SCHEMA_SQL } from '../../cli/demo/database.ts';
import { statementsOf } from '../acra/belts/support/database.ts';
import { BEFORE, OTHER, STORED } from './support/form.ts';
import { guardedPlace } from './support/place.ts';
import { wasSeen } from './support/run-form.ts';

const [FIRST, SECOND] = BEFORE;
const RIGHTS = `
GRANT CREATE ON SCHEMA public TO ${APPLICATION.user};
DROP TABLE patients;
CREATE TABLE changes (id integer);
GRANT ALL ON changes TO PUBLIC;
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO changes VALUES (new.id); RETURN new; END $$;`;

const REFUSED = [
  'CREATE INDEX ON patients (email)',
  'ALTER TABLE patients ADD UNIQUE (email)',
  `ALTER TABLE patients ALTER diagnosis SET DEFAULT '${STORED}'`,
  `ALTER TABLE patients ADD CHECK (diagnosis <> '${STORED}')`,
  `CREATE RULE kept AS ON DELETE TO patients DO INSTEAD UPDATE patients SET diagnosis = '${STORED}'`,
  `CREATE FUNCTION spoil() RETURNS void LANGUAGE sql AS $$ UPDATE patients SET diagnosis = '${STORED}' $$`,
  `CREATE VIEW spoilt AS SELECT id FROM patients WHERE email LIKE '${STORED}%'`,
  'ALTER TABLE patients RENAME diagnosis TO remark',
];

t.test('definitions about a protected table', async (t) => {
  const { application, owner, heard } = await guardedPlace(t);
  const ask = async (sql: string, values?: unknown[]) => (await application.query(sql, values)).rows;
  await owner.query(RIGHTS);
  await ask(`${SCHEMA_SQL}GRANT ALL ON patients TO ${OWNER.user}`);
  for (const [index, value] of BEFORE.entries())
    await ask('INSERT INTO patients (id, name, email, diagnosis) VALUES ($1, $2, $3, $3)', [index + 1, 'n', value]);

  for (const sql of REFUSED)
    await t.test(`rejects ${sql} (0A000)`, async (t) => {
      await t.rejects(ask(sql), { code: '0A000', message: /^refused by acra-enclave: / });
      await t.rejects(ask(sql, []), { code: '0A000', message: /^refused by acra-enclave: / });
    });

  await t.test('keeps the constraints that the project proposes, and a unique index on hashes', async (t) => {
    await ask('CREATE UNIQUE INDEX ON patients (substr(email, 1, 33))');
    await t.rejects(ask('UPDATE patients SET email = $1 WHERE id = 2', [FIRST]), { code: '23505' });
    await t.rejects(owner.query("UPDATE patients SET diagnosis = 'x'"), { code: '23514' });
  });

  await t.test('runs what `guard ddl` writes, and stores what the belts then let pass', async (t) => {
    const { tables } = parseEncryptorConfig(ENCRYPTOR_YAML, 'encryptor.yaml');
    const placed = [...tables.values()].map((table) => ({ schema: 'public', table }));
    const written = statementsOf(script({ tables: placed, uniqueSearches: ['patients.email'], role: OWNER.user }));
    for (const sql of written.filter((each) => !each.includes('ALTER ROLE'))) await ask(sql);
    await ask('UPDATE patients SET diagnosis = $1 WHERE id = 2', ['x'.repeat(100_000)]);
    await ask(`UPDATE patients SET diagnosis = '' WHERE id = 2`);
    await ask('UPDATE patients SET diagnosis = NULL WHERE id = 2');
    await t.rejects(owner.query("UPDATE patients SET diagnosis = '%%%x'"), { code: '23514' });
    await ask('UPDATE patients SET diagnosis = $1 WHERE id = 2', [SECOND]);
  });

  await t.test('finds through a view what its definition compares', async (t) => {
    await ask(`CREATE VIEW found AS SELECT id FROM patients WHERE email IN ('${FIRST}', '${OTHER}')`);
    t.same(await ask('SELECT id FROM found'), [{ id: 1 }]);
  });

  await t.test('compares in the condition of a trigger', async (t) => {
    await ask(`CREATE TRIGGER changed AFTER UPDATE ON patients FOR EACH ROW
      WHEN (old.email IS DISTINCT FROM new.email AND new.email <> '${OTHER}') EXECUTE FUNCTION note_change()`);
    await ask('UPDATE patients SET email = $1 WHERE id = 1', [FIRST]);
    await ask('UPDATE patients SET email = $1 WHERE id = 2', [OTHER]);
    t.same((await owner.query('SELECT id FROM changes')).rows, []);
    await ask('UPDATE patients SET email = $1 WHERE id = 2', [SECOND]);
    t.same((await owner.query('SELECT id FROM changes')).rows, [{ id: 2 }]);
  });

  await t.test('keeps rows out by a policy that compares', async (t) => {
    await ask(`ALTER TABLE patients ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`);
    await ask(`CREATE POLICY one ON patients USING (email = '${SECOND}')`);
    t.same(await ask('SELECT id FROM patients'), [{ id: 2 }]);
  });

  t.notOk(wasSeen(heard), 'the database was sent no plaintext in all of this');
});
