/**
 * What PostgreSQL 18 says of results, form by form, and that none of it speaks against the analysis of a statement that is right
 * (acra/conversation/contradiction.ts): each result column as `name relation.number`, with `*` where the analysis calls it protected.
 */
import pg from 'pg';
import t from 'tap';
import { contradictions } from '../../../acra/conversation/contradiction.ts';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import { judge } from '../../../acra/statements/judge.ts';
import { alignOutputs } from '../../../acra/statements/outputs.ts';
import { loadParser, parseText } from '../../../acra/statements/parser.ts';
import type { Plan, Prepared } from '../../../acra/statements/plan.ts';
import { ANY_RELATION } from '../../../acra/statements/policy.ts';
import { splice } from '../../../acra/statements/rewrite.ts';
import { OIDS, type ResultField } from '../../../postgres/messages.ts';
import { startShop } from '../../support/shop-database.ts';

const LONG = 'x'.repeat(70);

const SCHEMA = `
CREATE DOMAIN sealed AS bytea;
CREATE TABLE p (gone int, id int PRIMARY KEY, name text, email bytea, diagnosis sealed);
ALTER TABLE p DROP COLUMN gone;
INSERT INTO p VALUES (1, 'a', '\\x01', '\\x02');
CREATE TABLE q (id int PRIMARY KEY, note bytea);
CREATE TABLE child () INHERITS (p);
CREATE TABLE part (id int, diagnosis bytea) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (100);
CREATE VIEW v AS SELECT id, email, diagnosis AS d FROM p;
CREATE VIEW u AS SELECT id, email FROM p UNION ALL SELECT id, note FROM q;
CREATE SCHEMA other CREATE TABLE p (id int, name text, email bytea, diagnosis bytea);
`;

const { tables } = parseEncryptorConfig(
  `schemas:
${[
  ['p', 'id, name, email, diagnosis', 'email', 'diagnosis'],
  ['child', 'id, name, email, diagnosis', 'email'],
  ['part', 'id, diagnosis', 'diagnosis'],
  ['part1', 'id, diagnosis', 'diagnosis'],
  ['v', 'id, email, d', 'email', 'd'],
  ['u', 'id, email', 'email'],
  ['q', 'id, note'],
]
  .map(
    ([table, columns, ...encrypted]) =>
      `  - {table: ${table}, columns: [${columns}], encrypted: [${encrypted.map((name) => `{column: ${name}}`)}]}`,
  )
  .join('\n')}
`,
  'encryptor.yaml',
);

const FORMS: readonly (readonly [sql: string, described: string])[] = [
  ['SELECT email, diagnosis FROM p', '*email p.4, *diagnosis p.5'],
  ['SELECT * FROM p', 'id p.2, name p.3, *email p.4, *diagnosis p.5'],
  ['TABLE p', 'id p.2, name p.3, *email p.4, *diagnosis p.5'],
  ['SELECT p.email AS e, x.email FROM p JOIN p x ON x.id = p.id', '*e p.4, *email p.4'],
  ['SELECT p.email, o.email FROM p, other.p o', '*email p.4, *email other.p.3'],
  ['SELECT email::bytea, diagnosis::bytea FROM p', '*email p.4, *diagnosis 0'],
  ['SELECT coalesce(email, NULL) FROM p', '*coalesce 0'],
  ['SELECT CASE WHEN id = 1 THEN email END, CASE WHEN id = 1 THEN NULL ELSE email END FROM p', '*case 0, *email 0'],
  ['SELECT (SELECT email AS mine FROM p LIMIT 1), (SELECT coalesce(email) FROM p LIMIT 1)', '*mine 0, *coalesce 0'],
  ['SELECT * FROM (SELECT email AS e, diagnosis FROM p) s(f)', '*f p.4, *diagnosis p.5'],
  ['SELECT * FROM (SELECT CASE WHEN id = 1 THEN email END FROM p) s', '*case 0'],
  ['WITH w AS (SELECT email AS e FROM p) SELECT e, w.* FROM w', '*e p.4, *e p.4'],
  ['WITH w(z) AS MATERIALIZED (SELECT email AS e FROM p) SELECT * FROM w', '*z p.4'],
  ['WITH RECURSIVE w AS (SELECT email AS e FROM p) SELECT e FROM w', '*e p.4'],
  ["WITH w AS (UPDATE p SET name = 'x' RETURNING email) SELECT * FROM w", '*email p.4'],
  ['SELECT email FROM p UNION ALL SELECT email FROM p', '*email 0'],
  ['SELECT * FROM (SELECT email AS e FROM p UNION ALL SELECT email FROM p) s', '*e 0'],
  ['SELECT email FROM ONLY p', '*email p.4'],
  ['SELECT email FROM child', '*email child.3'],
  ['SELECT diagnosis FROM part', '*diagnosis part.2'],
  ['SELECT diagnosis FROM part1', '*diagnosis part1.2'],
  ['SELECT email, d FROM v', '*email v.2, *d v.3'],
  ['SELECT email FROM u', '*email u.2'],
  ['SELECT * FROM p JOIN q USING (id)', 'id p.2, name p.3, *email p.4, *diagnosis p.5, note q.2'],
  ['SELECT j.e FROM (p JOIN q ON p.id = q.id) AS j(a, b, e)', '*e p.4'],
  ['SELECT s.* FROM q, LATERAL (SELECT p.email FROM p WHERE p.id = q.id) s', '*email p.4'],
  ['SELECT email FROM p TABLESAMPLE system (100)', '*email p.4'],
  ['SELECT email, count(*) FROM p GROUP BY id', '*email p.4, count 0'],
  ['SELECT email, row_number() OVER (ORDER BY id) FROM p ORDER BY id LIMIT 1', '*email p.4, row_number 0'],
  ['SELECT DISTINCT ON (id) id, (email) FROM p', 'id p.2, *email p.4'],
  ['SELECT email FROM p WHERE false FOR UPDATE', '*email p.4'],
  ['INSERT INTO p VALUES (2) RETURNING *', 'id p.2, name p.3, *email p.4, *diagnosis p.5'],
  ["INSERT INTO p VALUES (2) ON CONFLICT (id) DO UPDATE SET name = 'z' RETURNING email AS d", '*d p.4'],
  ["UPDATE p SET name = 'c' RETURNING old.email, new.email, email", '*email p.4, *email p.4, *email p.4'],
  ["UPDATE p SET name = 'c' RETURNING WITH (OLD AS o) o.email", '*email p.4'],
  ['DELETE FROM p WHERE id = 2 RETURNING email, coalesce(old.email, new.email)', '*email p.4, *coalesce 0'],
  [
    'MERGE INTO p USING q ON p.id = q.id WHEN NOT MATCHED THEN INSERT (id) VALUES (q.id) RETURNING *, old.email',
    'id q.1, note q.2, id p.2, name p.3, *email p.4, *diagnosis p.5, *email p.4',
  ],
  ['INSERT INTO v (id) VALUES (3) RETURNING email, d', '*email v.2, *d v.3'],
  ['PREPARE s AS SELECT email AS e, diagnosis FROM p', ''],
  ['EXECUTE s', '*e p.4, *diagnosis p.5'],
  ['BEGIN', ''],
  ['DECLARE c CURSOR FOR SELECT email AS e, diagnosis FROM p', ''],
  ['FETCH c', '*e p.4, *diagnosis p.5'],
  ['COMMIT', ''],
  ['DECLARE c CURSOR WITH HOLD FOR SELECT email AS e FROM p', ''],
  ['FETCH ALL FROM c', '*e p.4'],
  ['CLOSE c', ''],
  [`SELECT email AS ${LONG} FROM p`, `*${LONG.slice(0, 63)} p.4`],
  ['SELECT email AS "ünï" FROM p', '*ünï p.4'],
  ['CREATE TEMP TABLE p (id int, name text, email bytea, diagnosis bytea)', ''],
  ['SELECT email FROM p', '*email pg_temp.p.3'],
];

const server = await startShop(t, { name: 'app', password: 'pencil' }, undefined);
const client = new pg.Client({ ...server, user: 'app', password: 'pencil', database: 'shop' });
t.teardown(() => client.end());
await client.connect();
await client.query(SCHEMA);
const parser = await loadParser();

/** What the names of a session mean. */
const made = new Map<string, Prepared>();

function planOf(sql: string): Plan {
  const verdict = judge({ tables, reader: 'engine', policy: ANY_RELATION }, parseText(parser, sql), made);
  if (verdict.kind === 'refused') throw new Error(`${verdict.reason}: ${sql}`);
  return verdict.plan;
}

function resultsOf({ results: [results = []], effects, fetches }: Plan): Prepared['results'][number] {
  for (const effect of effects) if ('prepared' in effect) made.set(effect.name, effect.prepared);
  const [fetch] = fetches;
  return fetch ? (made.get(fetch.name)?.results[0] ?? []) : results;
}

async function relationOf(oid: number): Promise<string> {
  const { rows } = await client.query(
    `SELECT relname AS name, CASE WHEN relpersistence = 't' THEN 'pg_temp.' WHEN nspname <> 'public' THEN nspname || '.' ELSE '' END AS prefix
     FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid = $1`,
    [oid],
  );
  return `${rows[0]?.prefix}${rows[0]?.name}`;
}

function fieldOf({ name, tableID, columnID, dataTypeID }: pg.FieldDef): ResultField {
  return { name, tableOid: tableID, columnNumber: columnID, typeOid: dataTypeID, oidOffset: 0, isBinary: false };
}

for (const queryMode of ['simple', 'extended']) {
  t.test(`${queryMode} protocol: nothing contradicts a statement that is right`, async (t) => {
    await client.query('DISCARD ALL');
    made.clear();
    for (const [sql, expected] of FORMS) {
      const plan = planOf(sql);
      const text = splice(Buffer.from(sql), plan.edits, (edit) =>
        edit.kind === 'text' ? edit.text : 'NULL',
      ).toString();
      const config: object = { text, queryMode };
      const { fields = [] } = await client.query(config as pg.QueryConfig);
      const results = alignOutputs(resultsOf(plan), fields.length);
      const shown: string[] = [];
      for (const [index, { name, tableID, columnID, dataTypeID }] of fields.entries()) {
        const place = tableID === 0 ? '0' : `${await relationOf(tableID)}.${columnID}`;
        shown.push(`${results[index] ? '*' : ''}${name} ${place}`);
        if (results[index]) t.equal(dataTypeID, OIDS.bytea);
      }
      t.equal(shown.join(', '), expected, sql);
      t.same(contradictions(results, fields.map(fieldOf)).filter(Boolean), [], sql);
      if (sql.startsWith('INSERT')) await client.query('DELETE FROM p WHERE id > 1');
    }
  });
}

const sound: ResultField = {
  ...fieldOf({} as pg.FieldDef),
  name: 'email',
  tableOid: 9,
  columnNumber: 4,
  typeOid: OIDS.bytea,
};
const judgedAs = (sql: string) => alignOutputs(planOf(sql).results[0] ?? [], 1);

t.test('keeps back a cell whose description is another than the analysis allows', async (t) => {
  const lies: readonly (readonly [Partial<ResultField>, string])[] = [
    [{ typeOid: OIDS.text }, 'type'],
    [{ name: 'diagnosis' }, 'name'],
    [{ tableOid: 0, columnNumber: 0 }, 'origin'],
    [{ columnNumber: 0 }, 'origin'],
    [{ columnNumber: -6 }, 'origin'],
  ];
  t.same(contradictions(judgedAs('SELECT email FROM p'), [sound]), [undefined]);
  for (const [lie, found] of lies)
    t.same(contradictions(judgedAs('SELECT email FROM p'), [{ ...sound, ...lie }]), [found], JSON.stringify(lie));
});

t.test('keeps back cells of one place in a table that are said to be two columns', async (t) => {
  const two = alignOutputs(planOf('SELECT email, diagnosis FROM p').results[0] ?? [], 2);
  const diagnosis = { ...sound, name: 'diagnosis' };
  t.same(contradictions(two, [sound, { ...diagnosis, columnNumber: 5 }]), [undefined, undefined]);
  t.same(contradictions(two, [sound, diagnosis]), ['origin', 'origin']);
  const ofTwo = alignOutputs(planOf('SELECT p.email, part.diagnosis FROM p, part').results[0] ?? [], 2);
  t.same(contradictions(ofTwo, [sound, { ...diagnosis, columnNumber: 5 }]), ['origin', 'origin'], 'or two tables');
  t.same(contradictions(ofTwo, [sound, { ...diagnosis, tableOid: 8 }]), [undefined, undefined]);
});
