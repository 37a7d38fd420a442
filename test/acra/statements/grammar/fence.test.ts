/** What is sent for statements of a session that is before the switch of a column (decision 21). */
import t from 'tap';
import { parseEncryptorConfig } from '../../../../acra/encryptor-config/lint.ts';
import type { EncryptedTable } from '../../../../acra/encryptor-config/schema.ts';
import { withHidden } from '../../../../acra/migration/tables.ts';
import { judge } from '../../../../acra/statements/judge.ts';
import { loadParser, parseText } from '../../../../acra/statements/parser.ts';
import { ANY_RELATION } from '../../../../acra/statements/policy.ts';
import { shownText } from '../support/shown-text.ts';

const parser = await loadParser();
const MIGRATION = { table: 'patients', column: 'name', beside: 'name_protected', old: 'name_plain' };
const { tables: configured } = parseEncryptorConfig(
  `schemas:
  - table: patients
    columns: [id, name, ward, note, name_protected]
    encrypted:
      - {column: name, searchable: true}
      - {column: name_protected, searchable: true}
      - {column: note}
`,
  'encryptor.yaml',
);
const tables: ReadonlyMap<string, EncryptedTable> = withHidden(configured, [MIGRATION]);

function sent(sql: string, sides: 'plain' | 'unprepared' | 'switched' = 'plain'): string {
  const verdict = judge({ tables, reader: 'engine', policy: ANY_RELATION }, parseText(parser, sql), undefined, {
    plain: sides === 'plain' ? [MIGRATION] : [],
    unprepared: sides === 'unprepared' ? [MIGRATION] : [],
  });
  return verdict.kind === 'passes' ? shownText(sql, verdict.plan) : `${verdict.sqlState} ${verdict.refusal}`;
}

const FENCE = '"acra_enclave_fence_1" AS (SELECT "name_protected" FROM "patients")';

for (const [what, sql, expected] of [
  [
    'SELECT',
    "SELECT name FROM patients WHERE name = 'Anna'",
    `WITH ${FENCE} SELECT name FROM patients WHERE name = 'Anna'`,
  ],
  [
    'a comment before it',
    '/* a */ -- b\n SELECT name FROM patients',
    `/* a */ -- b\n WITH ${FENCE} SELECT name FROM patients`,
  ],
  [
    'WITH',
    'WITH w AS (SELECT 1) SELECT name FROM patients',
    `WITH ${FENCE}, w AS (SELECT 1) SELECT name FROM patients`,
  ],
  [
    'WITH RECURSIVE',
    'with recursive w AS (SELECT 1) SELECT name FROM patients',
    `with recursive ${FENCE}, w AS (SELECT 1) SELECT name FROM patients`,
  ],
  [
    'a schema',
    'SELECT name FROM "public".patients p',
    'WITH "acra_enclave_fence_1" AS (SELECT "name_protected" FROM "public"."patients") SELECT name FROM "public".patients p',
  ],
  [
    'parentheses',
    '(SELECT name FROM patients) UNION ALL (SELECT name FROM patients)',
    `WITH ${FENCE} (SELECT name FROM patients) UNION ALL (SELECT name FROM patients)`,
  ],
  ['UPDATE', "UPDATE patients SET name = 'Anna'", `WITH ${FENCE} UPDATE patients SET name = 'Anna'`],
  ['DELETE', 'DELETE FROM patients WHERE name = $1', `WITH ${FENCE} DELETE FROM patients WHERE name = $1`],
  [
    'a sub-select',
    'SELECT 1 WHERE EXISTS (SELECT FROM patients)',
    `WITH ${FENCE} SELECT 1 WHERE EXISTS (SELECT FROM patients)`,
  ],
  [
    'several statements',
    "BEGIN; UPDATE patients SET name = 'A'; SELECT 2",
    `BEGIN; WITH ${FENCE} UPDATE patients SET name = 'A'; SELECT 2`,
  ],
  [
    'EXPLAIN',
    'EXPLAIN (ANALYZE, COSTS off) SELECT name FROM patients',
    `EXPLAIN (ANALYZE, COSTS off) WITH ${FENCE} SELECT name FROM patients`,
  ],
  [
    'EXPLAIN ANALYZE',
    'EXPLAIN ANALYZE VERBOSE (SELECT name FROM patients)',
    `EXPLAIN ANALYZE VERBOSE WITH ${FENCE} (SELECT name FROM patients)`,
  ],
  [
    'EXPLAIN of parentheses',
    'EXPLAIN (SELECT name FROM patients)',
    `EXPLAIN WITH ${FENCE} (SELECT name FROM patients)`,
  ],
  [
    'PREPARE',
    'PREPARE as_ (text) AS SELECT name FROM patients',
    `PREPARE as_ (text) AS WITH ${FENCE} SELECT name FROM patients`,
  ],
  [
    'DECLARE',
    'DECLARE c NO SCROLL CURSOR WITH HOLD FOR SELECT name FROM patients',
    `DECLARE c NO SCROLL CURSOR WITH HOLD FOR WITH ${FENCE} SELECT name FROM patients`,
  ],
  [
    'COPY of a query',
    'COPY (SELECT name FROM patients) TO STDOUT',
    `COPY (WITH ${FENCE} SELECT name FROM patients) TO STDOUT`,
  ],
] as const) {
  t.test(`puts a fence before what names the table: ${what}`, async (t) => t.equal(sent(sql), expected));
}

t.test('protects the other columns of the table, and what gathers beside, as ever', async (t) => {
  t.equal(
    sent("INSERT INTO patients (name, note) VALUES ('Anna', 'flu')"),
    `WITH ${FENCE} INSERT INTO patients (name, note) VALUES ('Anna', <flu>::bytea)`,
  );
  t.match(sent("UPDATE patients SET name_protected = 'Anna' WHERE id = 1"), /SET name_protected = <Anna>/);
});

t.test('leaves alone what does not name the table', async (t) => {
  t.equal(sent('SELECT name FROM wards'), 'SELECT name FROM wards');
  t.equal(sent('SELECT name FROM wards', 'unprepared'), 'SELECT name FROM wards');
});

t.test('writes names in the place of *, and of columns that are not named', async (t) => {
  const all = '"id", "name", "ward", "note"';
  const of = (prefix: string) => all.replaceAll(/"(\w+)"/g, `${prefix}"$1"`);
  const plain = (sql: string) => sent(sql).replace(`WITH ${FENCE} `, '');
  t.equal(plain('SELECT * FROM patients'), `SELECT ${of('"patients".')} FROM patients`);
  t.equal(plain('SELECT p.* , 1 FROM patients p'), `SELECT ${of('p.')} , 1 FROM patients p`);
  t.equal(
    plain('SELECT * FROM wards w JOIN patients p ON p.id = w.id'),
    `SELECT "w".*, ${of('"p".')} FROM wards w JOIN patients p ON p.id = w.id`,
  );
  t.equal(plain('DELETE FROM patients RETURNING *'), `DELETE FROM patients RETURNING ${of('"patients".')}`);
  t.equal(
    plain('SELECT * FROM (SELECT * FROM patients) s'),
    `SELECT * FROM (SELECT ${of('"patients".')} FROM patients) s`,
  );
  t.equal(plain("INSERT INTO patients VALUES (1, 'A', 'w')"), `INSERT INTO patients (${all}) VALUES (1, 'A', 'w')`);
  t.equal(
    plain("INSERT INTO public.patients AS p VALUES (1, 'A')").replace(/^WITH .*?\) /, ''),
    `INSERT INTO public.patients AS p (${all}) VALUES (1, 'A')`,
  );
  t.equal(plain('INSERT INTO patients DEFAULT VALUES'), 'INSERT INTO patients DEFAULT VALUES');
  t.match(sent('SELECT * FROM patients', 'switched'), `SELECT ${of('"patients".')} FROM patients`);
  t.match(sent('COPY patients TO STDOUT', 'switched'), `COPY patients (${all}) TO STDOUT`);
});

for (const [what, sql, expected] of [
  ['what is refused behind the switch', 'SELECT name FROM patients ORDER BY name', '0A000 order'],
  ['COPY of the table', 'COPY patients (id, name) FROM STDIN', '0A000 migration'],
  ['a view', 'CREATE VIEW v AS SELECT name FROM patients', '0A000 migration'],
  ['TABLE', 'TABLE patients', '0A000 migration'],
  ['names given by places', 'SELECT a FROM patients p(a, b)', '0A000 migration'],
  ['a join that has a column once', 'SELECT * FROM patients p JOIN wards w USING (id)', '0A000 migration'],
  [
    'MERGE without names',
    'MERGE INTO patients p USING wards w ON p.id = w.id WHEN NOT MATCHED THEN INSERT VALUES (1)',
    '0A000 migration',
  ],
  [
    'a query of WITH RECURSIVE that is called as the table, and would have the fence before it',
    "WITH RECURSIVE patients AS (SELECT 1 AS name_protected) INSERT INTO patients (id, name) VALUES (1, 'Anna')",
    '0A000 migration',
  ],
  [
    'a table made by EXPLAIN',
    "EXPLAIN ANALYZE CREATE TABLE x AS SELECT id FROM patients WHERE name = 'Anna'",
    '0A000 migration',
  ],
  ['a policy with a value', "CREATE POLICY p ON patients USING (name = 'Anna')", '0A000 migration'],
  ['an index with a value', "CREATE INDEX ON patients (id) WHERE name = 'Anna'", '0A000 migration'],
  ['a constraint with a value', "ALTER TABLE patients ADD CHECK (name <> 'Anna')", '0A000 migration'],
  [
    'a trigger with a value',
    "CREATE TRIGGER t BEFORE UPDATE ON patients FOR EACH ROW WHEN (old.name = 'Anna') EXECUTE FUNCTION f()",
    '0A000 migration',
  ],
  [
    'a join with a name, which has two columns of one name',
    'SELECT q.* FROM (patients a JOIN patients b ON true) AS q',
    '0A000 migration',
  ],
  ['another name for the column', 'ALTER TABLE patients RENAME COLUMN name TO other', '0A000 definition'],
] as const) {
  t.test(`refuses ${what}`, async (t) => t.match(sent(sql), expected));
}

t.test('refuses whatever names a table that is not prepared', async (t) => {
  t.equal(sent('SELECT id FROM patients', 'unprepared'), '55000 migration');
});

t.test('keeps definitions that compare the column with no value', async (t) => {
  for (const sql of [
    'CREATE TRIGGER t BEFORE UPDATE ON patients FOR EACH ROW WHEN (old.name IS DISTINCT FROM new.name) EXECUTE FUNCTION f()',
    "CREATE INDEX ON patients (id) WHERE ward = 'A'",
    'LOCK TABLE patients IN ACCESS EXCLUSIVE MODE',
  ])
    t.equal(sent(sql), sql);
});

t.test('lets the switch pass before it, and not behind it', async (t) => {
  for (const sql of [
    'ALTER TABLE patients RENAME COLUMN name TO name_plain',
    'ALTER TABLE public.patients RENAME name_protected TO name',
  ]) {
    t.equal(sent(sql), sql);
    t.equal(sent(sql, 'switched'), '0A000 definition');
  }
});
