/** What `guard ddl` writes, run in a real PostgreSQL. */
import t from 'tap';
import { script } from '../../../acra/belts/script.ts';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import { judge } from '../../../acra/statements/judge.ts';
import { loadParser, parseText } from '../../../acra/statements/parser.ts';
import { ANY_RELATION } from '../../../acra/statements/policy.ts';
import { beltDatabase, statementsOf } from './support/database.ts';

const YAML = `schemas:
  - table: patients
    columns: [id, name, email, diagnosis, card]
    encrypted:
      - {column: email, searchable: true, data_type: str}
      - {column: diagnosis, data_type: str}
      - {column: card, masking: xxxx, plaintext_length: 4, plaintext_side: right}
  - table: "Odd 'Table"
    columns: [A b, 'select', "a'; DROP TABLE x; --"]
    encrypted:
      - {column: A b, searchable: true}
      - {column: 'select'}
      - {column: "a'; DROP TABLE x; --"}
`;
const { tables } = parseEncryptorConfig(YAML, 'encryptor.yaml');
const SCHEMA = 'Own schema';
const TABLES = `CREATE SCHEMA "${SCHEMA}";
  CREATE TABLE "${SCHEMA}".patients (id integer PRIMARY KEY, name text, email bytea, diagnosis bytea, card bytea);
  CREATE TABLE "${SCHEMA}"."Odd 'Table" ("A b" bytea, "select" bytea, "a'; DROP TABLE x; --" bytea);
  CREATE TABLE x ()`;

const written = (role?: string) =>
  script({
    tables: [...tables.values()].map((table) => ({ schema: SCHEMA, table })),
    uniqueSearches: ['patients.email', 'patients.(name,email)', "Odd 'Table.A b"],
    role,
  });

/** Those of the log need another login. */
function parts(text: string): { readonly ownerPart: string[]; readonly adminPart: string[] } {
  const [before = '', after = ''] = text.split(/^-- 5\. /m);
  return { ownerPart: statementsOf(before), adminPart: statementsOf(`-- ${after}`) };
}

t.test('a script', async (t) => {
  const database = await beltDatabase(t);
  const [owner, admin] = [await database.login('owner'), await database.login('admin')];
  await owner.query(TABLES);
  const { ownerPart, adminPart } = parts(written('application'));

  await t.test('runs, twice too', async (t) => {
    for (const round of [1, 2]) {
      for (const sql of ownerPart) await owner.query(sql);
      for (const sql of adminPart) await admin.query(sql);
      t.pass(`round ${round}`);
    }
    const { rows } = await admin.query(
      "SELECT conname AS name, convalidated AS valid FROM pg_constraint WHERE contype = 'c' AND conrelid >= 16384 ORDER BY 1",
    );
    t.same(rows, [
      { name: 'acra_belt_A b', valid: true },
      { name: "acra_belt_a'; DROP TABLE x; --", valid: true },
      { name: 'acra_belt_card', valid: true },
      { name: 'acra_belt_diagnosis', valid: true },
      { name: 'acra_belt_email', valid: true },
      { name: 'acra_belt_select', valid: true },
    ]);
    await owner.query('DROP TABLE x');
  });

  await t.test('gives the application what it needs and nothing else', async (t) => {
    const application = await database.login('application');
    const patients = `"${SCHEMA}".patients`;
    await application.query(`INSERT INTO ${patients} (id, name) VALUES (1, 'n')`);
    await application.query(`UPDATE ${patients} SET name = 'm'`);
    await application.query(`SELECT * FROM ${patients}`);
    await application.query(`DELETE FROM ${patients}`);
    for (const sql of [
      `TRUNCATE ${patients}`,
      `CREATE TABLE "${SCHEMA}".more (id integer)`,
      `ALTER TABLE ${patients} DROP CONSTRAINT acra_belt_email`,
      `CREATE TRIGGER t BEFORE INSERT ON ${patients} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
      `CREATE TEMPORARY TABLE r (id integer REFERENCES ${patients} (id))`,
      `CREATE INDEX ON ${patients} (id)`,
    ]) {
      await t.rejects(application.query(sql), { code: /^42/ }, sql);
    }
  });

  await t.test(
    'leaves rows in plaintext as they are, refuses further ones, and says so when they are validated',
    async (t) => {
      const patients = `"${SCHEMA}".patients`;
      await owner.query(`ALTER TABLE ${patients} DROP CONSTRAINT acra_belt_diagnosis`);
      await owner.query(`INSERT INTO ${patients} (id, diagnosis) VALUES (1, 'flu')`);
      const isValidation = (sql: string) => sql.includes('VALIDATE') && sql.includes('acra_belt_diagnosis');
      for (const sql of ownerPart) {
        if (isValidation(sql)) await t.rejects(owner.query(sql), { code: '23514' });
        else await owner.query(sql);
      }
      await t.rejects(owner.query(`INSERT INTO ${patients} (id, diagnosis) VALUES (2, 'flu')`), { code: '23514' });
      await owner.query(`DELETE FROM ${patients}`);
      for (const sql of ownerPart.filter(isValidation)) await owner.query(sql);
    },
  );

  await t.test('makes indexes that keep search hashes unique, and that ON CONFLICT finds', async (t) => {
    const { rows } = await owner.query(
      "SELECT indexname AS name FROM pg_indexes WHERE indexname LIKE 'acra_unique%' ORDER BY 1",
    );
    t.same(
      rows.map(({ name }) => name),
      ["acra_unique_Odd 'Table_A b", 'acra_unique_patients_email', 'acra_unique_patients_name_email'],
    );
    const onConflict = (id: number) => `INSERT INTO "${SCHEMA}".patients (id) VALUES (${id}) ON CONFLICT`;
    await owner.query(`${onConflict(1)} (substr(email, 1, 33)) DO NOTHING`);
    await owner.query(`${onConflict(2)} (name, substr(email, 1, 33)) DO NOTHING`);
  });
});

t.test('is the same text for the same configuration', async (t) => {
  t.equal(written('r'), written('r'));
});

t.test('has no belt for a column whose rows are being encrypted, and the one beside it', async (t) => {
  const migrations = [{ table: 'patients', column: 'email', beside: 'diagnosis' }];
  const placed = [...tables.values()].map((table) => ({ schema: SCHEMA, table }));
  const text = script({ tables: placed, uniqueSearches: [], role: undefined, migrations });
  t.notMatch(text, /acra_belt_(?:email|diagnosis)/);
  t.match(text, 'VALIDATE CONSTRAINT "acra_belt_card"');
  t.match(text, '-- column "email" of "patients": its rows are being encrypted');
});

t.test('holds no rights and settings of nobody', async (t) => {
  t.notMatch(written(), /^(?:GRANT|REVOKE|ALTER ROLE)/m);
});

t.test('passes through the guard as it is, statement by statement', async (t) => {
  const parser = await loadParser();
  for (const sql of statementsOf(written('application'))) {
    const verdict = judge({ tables, reader: 'engine', policy: ANY_RELATION }, parseText(parser, sql));
    t.match(verdict, { kind: 'passes', plan: { edits: [], copies: [] } }, sql.slice(0, 80));
  }
});
