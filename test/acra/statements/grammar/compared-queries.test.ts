/** Searchable columns and values that are compared with the rows of a query, or are its rows. */
import t from 'tap';
import { judge } from '../../../../acra/statements/judge.ts';
import { loadParser, parseText } from '../../../../acra/statements/parser.ts';
import { ANY_RELATION } from '../../../../acra/statements/policy.ts';
import { tables as configured } from '../../../emulator/acra-server/support/vector-cipher.ts';
import { shownText } from '../support/shown-text.ts';

const parser = await loadParser();
const BEGIN = 'SELECT id FROM v WHERE ';

function ending(condition: string, tables = configured): string {
  const sql = BEGIN + condition;
  const verdict = judge({ tables, reader: 'engine', policy: ANY_RELATION }, parseText(parser, sql));
  return verdict.kind === 'refused' ? verdict.sqlState : shownText(sql, verdict.plan).slice(BEGIN.length);
}

const REWRITTEN: Readonly<Record<string, string>> = {
  'email IN (SELECT q.email FROM v q WHERE q.id = 3)':
    'substr(email, 1, 33) IN (SELECT substr(q.email, 1, 33) FROM v q WHERE q.id = 3)',
  "email NOT IN (SELECT DISTINCT email::text FROM v UNION SELECT 'p' UNION SELECT $1)":
    'substr(email, 1, 33) NOT IN (SELECT DISTINCT substr(email, 1, 33)::bytea FROM v UNION SELECT <hash p>::bytea UNION SELECT $1)',
  "email <> ALL (VALUES ('p'), (NULL), ($1::text))":
    'substr(email, 1, 33) <> ALL (VALUES (<hash p>::bytea), (NULL::bytea), ($1::bytea))',
  'email = ANY (SELECT unnest($1::text[]))': 'substr(email, 1, 33) = ANY (SELECT unnest($1::bytea[]))',
  "email = ANY (SELECT unnest(ARRAY['p', 'q']))":
    'substr(email, 1, 33) = ANY (SELECT unnest(ARRAY[<hash p>::bytea, <hash q>::bytea]))',
  'email IN (SELECT u.e FROM unnest($1::text[]) AS u (e))':
    'substr(email, 1, 33) IN (SELECT substr(u.e, 1, 33) FROM unnest($1::bytea[]) AS u (e))',
  "email IN (SELECT * FROM (VALUES ('p'), (NULL)) AS x (e))":
    'substr(email, 1, 33) IN (SELECT substr("e", 1, 33) FROM (VALUES (<p>::bytea), (NULL::bytea)) AS x (e))',
  "(id, email) IN (SELECT x.* FROM (VALUES (1, 'p')) AS x)":
    '(id, substr(email, 1, 33)) IN (SELECT "x"."column1", substr("x"."column2", 1, 33) FROM (VALUES (1, <p>::bytea)) AS x)',
  'email = ANY (SELECT * FROM unnest($1::text[]))':
    'substr(email, 1, 33) = ANY (SELECT substr("unnest", 1, 33) FROM unnest($1::bytea[]))',
  "email NOT IN (SELECT DISTINCT * FROM (SELECT email FROM v WHERE id < 5) x UNION SELECT * FROM (VALUES ('p')) y)":
    'substr(email, 1, 33) NOT IN (SELECT DISTINCT substr("email", 1, 33) FROM (SELECT email FROM v WHERE id < 5) x UNION SELECT substr("column1", 1, 33) FROM (VALUES (<p>::bytea)) y)',
  '\'p\' IN (SELECT * FROM (SELECT email AS "E ""1" FROM v) x)':
    '<hash p>::bytea IN (SELECT substr("E ""1", 1, 33) FROM (SELECT email AS "E ""1" FROM v) x)',
  'email IN (SELECT x.e::text::varchar FROM unnest($1::text[]) AS x (e))':
    'substr(email, 1, 33) IN (SELECT substr(x.e, 1, 33)::bytea::bytea FROM unnest($1::bytea[]) AS x (e))',
  'email IS DISTINCT FROM (SELECT email FROM v LIMIT 1)':
    'substr(email, 1, 33) IS DISTINCT FROM (SELECT substr(email, 1, 33) FROM v LIMIT 1)',
  '(SELECT email FROM v LIMIT 1) = email': '(SELECT substr(email, 1, 33) FROM v LIMIT 1) = substr(email, 1, 33)',
  '(email, id) NOT IN (SELECT email, id FROM v)':
    '(substr(email, 1, 33), id) NOT IN (SELECT substr(email, 1, 33), id FROM v)',
  "(id, 'p') = (SELECT id, email FROM v)": '(id, <hash p>::bytea) = (SELECT id, substr(email, 1, 33) FROM v)',
  '$1 = ANY (SELECT email FROM v UNION SELECT email FROM v)':
    '$1 = ANY (SELECT substr(email, 1, 33) FROM v UNION SELECT substr(email, 1, 33) FROM v)',
  'email IN (WITH x AS (SELECT email AS e FROM v) SELECT e FROM x)':
    'substr(email, 1, 33) IN (WITH x AS (SELECT email AS e FROM v) SELECT substr(e, 1, 33) FROM x)',
  'email IN (SELECT email FROM v GROUP BY id)':
    'substr(email, 1, 33) IN (SELECT substr(email, 1, 33) FROM v GROUP BY id)',
  'email IN (SELECT NULL)': 'substr(email, 1, 33) IN (SELECT NULL::bytea)',
};
for (const [condition, expected] of Object.entries(REWRITTEN))
  t.test(`compares by hashes: ${condition}`, async (t) => t.equal(ending(condition), expected));

for (const condition of [
  "'p' IN (SELECT name FROM o)",
  'id IN (SELECT id FROM v ORDER BY 1)',
  '(id, name) IN (TABLE o)',
])
  t.test(`keeps untouched: ${condition}`, async (t) => t.equal(ending(condition), condition));

for (const condition of [
  "secret IN (SELECT 'p')",
  'email IN (SELECT secret FROM v)',
  'email IN (SELECT name FROM v)',
  'email IN (SELECT mail FROM o)',
  "email IN (SELECT upper('p'))",
  "email IN (SELECT coalesce(email, 'p') FROM v)",
  'email IN (SELECT (SELECT email FROM v))',
  'email IN (SELECT max(email) FROM v)',
  'email IN (TABLE v)',
  "email IN (SELECT * FROM (VALUES ('p')) AS x (e) WHERE e <> 'q')",
  "email IN (SELECT * FROM (VALUES ('p')) AS x (e) ORDER BY e LIMIT 1)",
  "(email, email) IN (SELECT * FROM (VALUES ('p')) AS x (a), (VALUES ('q')) AS y (a))",
  "email IN (WITH w (e) AS (VALUES ('p')) TABLE w)",
  "secret IN (SELECT * FROM (VALUES ('p')) AS x)",
  "email IN (SELECT * FROM (SELECT 'p') AS x)",
  'email IN (SELECT * FROM (SELECT $1::text) AS x)',
  'email IN (SELECT * FROM o)',
  "(1, 'x', 'p') IN (SELECT id, email FROM v)",
  'email IN (SELECT email FROM v ORDER BY email LIMIT 1)',
  'email IN (SELECT email FROM v ORDER BY 1 LIMIT 1)',
  'email IN (SELECT email AS e FROM v GROUP BY e HAVING count(*) > 1)',
  'email IN (SELECT email FROM v GROUP BY v.email HAVING count(*) > 1)',
  'email IN (SELECT DISTINCT ON (email) email FROM v)',
  '(email, id) IN (SELECT email, * FROM o)',
  "('x', 'p') IN (SELECT o.*, email FROM o, v)",
  "(1, 'x', 'p') IN (SELECT w.*, email FROM v, (SELECT id FROM v) AS w)",
  "(v.*, 'p') = (SELECT id, email FROM v)",
  'email IN (VALUES ((o).*))',
  "email IN (SELECT ('(p)'::composite).*)",
  "'p' IN (SELECT email FROM v UNION SELECT 'q')",
  "'p' IN (SELECT 'q' UNION ALL SELECT email FROM v)",
  "upper('p') IN (SELECT email FROM v)",
  'name IN (SELECT email FROM v)',
  'id IN (SELECT email FROM v)',
  'lower(email) IN (SELECT email FROM v)',
  'email > ALL (SELECT email FROM v)',
  "'p' > ANY (SELECT email FROM v)",
  "'p' LIKE (SELECT email FROM v)",
  "email LIKE (SELECT 'p')",
  "email IN ('p', (SELECT email FROM v))",
  '(SELECT email FROM v LIMIT 1) = (SELECT email FROM v LIMIT 1)',
  'ARRAY(SELECT email FROM v) IS NULL',
])
  t.test(`rejects (0A000): ${condition}`, async (t) => t.equal(ending(condition), '0A000'));

t.test('names the columns of a table that has none by their places once, with hashes', async (t) => {
  const tables = new Map([...configured].map(([name, table]) => [name, { ...table, hidden: ['secret', 'blob'] }]));
  t.equal(
    ending('(id, email) IN (SELECT * FROM v x)', tables),
    '(id, substr(email, 1, 33)) IN (SELECT "id", substr("email", 1, 33) FROM v x)',
  );
});
