/** The list that `guard check-db` writes of a database, in the measured folder of an enclave before that database. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { connectDirectly } from '../../cli/demo/clients.ts';
import { DATABASE, OWNER } from '../../cli/demo/database.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import { acraEnclave } from '../cli/support/acra-enclave.ts';
import { OTHER, STORED } from './support/form.ts';
import { guardedPlace } from './support/place.ts';
import { wasSeen } from './support/run-form.ts';

const SCHEMA = `
CREATE TABLE notes (id integer PRIMARY KEY, note text);
CREATE VIEW note_view AS SELECT * FROM notes;
CREATE TABLE moved (id integer, note text) PARTITION BY LIST (id);
CREATE TABLE moved_rest PARTITION OF moved DEFAULT;
CREATE FUNCTION touch(given text) RETURNS text LANGUAGE sql AS $$ SELECT upper(given) $$;

CREATE FUNCTION save(given text) RETURNS text LANGUAGE sql AS $$ INSERT INTO patients (id, name, diagnosis) VALUES (9, 'n', given::bytea) RETURNING name $$;
CREATE FUNCTION saves() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM save(NEW.note); RETURN NEW; END $$;
CREATE VIEW patient_view AS SELECT * FROM patients;
CREATE TABLE patients_child () INHERITS (patients);
CREATE TABLE watched (id integer, note text);
CREATE TRIGGER t AFTER INSERT ON watched FOR EACH ROW EXECUTE FUNCTION saves();
CREATE TABLE ruled (id integer, note text);
CREATE RULE r AS ON INSERT TO ruled DO ALSO SELECT save(NEW.note);
CREATE VIEW trapped AS SELECT * FROM notes;
CREATE TRIGGER t INSTEAD OF INSERT ON trapped FOR EACH ROW EXECUTE FUNCTION saves();
CREATE DOMAIN checked AS text CHECK (save(VALUE) IS NOT NULL);
CREATE TABLE domained (id integer, note checked);
CREATE FUNCTION runs(given text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('SELECT save(%L)', given); END $$;
CREATE FUNCTION further(given text) RETURNS text LANGUAGE sql AS $$ SELECT save(given) $$;
GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC;`;

const WORKS = [
  `INSERT INTO notes VALUES (1, '${OTHER}')`,
  `INSERT INTO note_view VALUES (2, '${OTHER}')`,
  `INSERT INTO moved VALUES (1, '${OTHER}')`,
  `UPDATE moved_rest SET note = '${OTHER}'`,
  `SELECT touch('${OTHER}')`,
];

const REFUSED = [
  `INSERT INTO patient_view (id, name, diagnosis) VALUES (9, 'n', '${STORED}')`,
  `INSERT INTO patients_child (id, name, diagnosis) VALUES (9, 'n', '${STORED}')`,
  ...['watched', 'ruled', 'trapped', 'domained'].map((table) => `INSERT INTO ${table} VALUES (9, '${STORED}')`),
  ...['save', 'runs', 'further'].map((name) => `SELECT ${name}('${STORED}')`),
];

async function checkAndWrite(t: Test, stack: Stack): Promise<void> {
  const owner = await connectDirectly(stack);
  await owner.query(SCHEMA);
  await owner.end();
  const { host, port } = stack.parts.postgres;
  const words = ['--user', OWNER.user, '--database', DATABASE, '--host', host, '--port', String(port), '--write'];
  const { code, stderr } = await acraEnclave(['guard', 'check-db', '--enclave', stack.enclaveFolder, ...words], {
    PGPASSWORD: OWNER.password,
  });
  t.equal(code, 1, stderr);
  t.same(parse(readFileSync(join(stack.enclaveFolder, 'guard-list.yaml'), 'utf8')), {
    version: 1,
    relations: ['moved', 'moved_rest', 'note_view', 'notes'],
    functions: ['touch'],
    operators: [],
    uniqueSearches: [],
  });
}

t.test('a list that was written by looking at the database', async (t) => {
  const { application, heard, owner } = await guardedPlace(t, { guardList: {} }, (stack) => checkAndWrite(t, stack));

  for (const sql of REFUSED) {
    await t.test(`rejects ${sql}, which it left out, and sends nothing of it`, async (t) => {
      const expected = { code: '42501', message: /^refused by acra-enclave: / };
      await t.rejects(application.query(sql), expected);
      await t.rejects(application.query(sql.replace(`'${STORED}'`, '$1'), [STORED]), expected);
      t.notOk(wasSeen(heard));
    });
  }

  for (const sql of WORKS) {
    await t.test(`keeps ${sql}`, async (t) => {
      await application.query(sql);
      t.same((await owner.query('SELECT count(*)::int AS n FROM patients')).rows, [{ n: 0 }]);
    });
  }
});
