/** Which relation a name means, where another one of the same statement has it too: PostgreSQL does not look at all of them. */
import t from 'tap';
import { kindOf, sentFor } from '../support/verdicts.ts';

const MEANS_THE_PROTECTED_ONE: Readonly<Record<string, string>> = {
  "SELECT (WITH v AS (SELECT 'x' AS email) SELECT public.v.email = 'p' FROM v) FROM public.v":
    "SELECT (WITH v AS (SELECT 'x' AS email) SELECT substr(public.v.email, 1, 33) = <hash p>::bytea FROM v) FROM public.v",
  "SELECT (SELECT public.v.email = 'p' FROM o AS v) FROM v":
    'SELECT (SELECT substr(public.v.email, 1, 33) = <hash p>::bytea FROM o AS v) FROM v',
  "SELECT EXISTS (SELECT FROM (VALUES ('y')) s (email), o JOIN (VALUES (1)) b (i) ON v.email = 'p') FROM v":
    "SELECT EXISTS (SELECT FROM (VALUES ('y')) s (email), o JOIN (VALUES (1)) b (i) ON substr(v.email, 1, 33) = <hash p>::bytea) FROM v",
  "SELECT EXISTS (SELECT FROM (VALUES ('y')) s (email), (VALUES (1)) a (i) JOIN (VALUES (1)) b (j) ON email = 'p') FROM v":
    "SELECT EXISTS (SELECT FROM (VALUES ('y')) s (email), (VALUES (1)) a (i) JOIN (VALUES (1)) b (j) ON substr(email, 1, 33) = <hash p>::bytea) FROM v",
  "SELECT EXISTS (SELECT FROM (VALUES ('y')) s (email), o TABLESAMPLE bernoulli ((email = 'p')::int)) FROM v":
    "SELECT EXISTS (SELECT FROM (VALUES ('y')) s (email), o TABLESAMPLE bernoulli ((substr(email, 1, 33) = <hash p>::bytea)::int)) FROM v",
  "MERGE INTO o USING v ON o.id = v.id WHEN NOT MATCHED AND email = 'p' THEN DO NOTHING":
    'MERGE INTO o USING v ON o.id = v.id WHEN NOT MATCHED AND substr(email, 1, 33) = <hash p>::bytea THEN DO NOTHING',
  "SELECT unnest.unnest FROM unnest(ARRAY['p']) JOIN v ON email = unnest.unnest":
    'SELECT unnest.unnest FROM unnest(ARRAY[<p>::bytea]) JOIN v ON substr(email, 1, 33) = substr(unnest.unnest, 1, 33)',
};
for (const [sql, sent] of Object.entries(MEANS_THE_PROTECTED_ONE))
  t.test(`protects ${sql}`, async (t) => t.equal(sentFor(sql), sent));

for (const sql of [
  "SELECT * FROM v, o JOIN (VALUES ('p')) a (email) ON email = 'p'",
  "SELECT * FROM v, (VALUES ('p')) a (email) JOIN (VALUES (1)) b (j) ON email = 'q'",
  "MERGE INTO v USING o ON v.id = o.id WHEN NOT MATCHED AND email = 'p' THEN DO NOTHING",
  "MERGE INTO o USING v ON o.id = v.id WHEN NOT MATCHED BY SOURCE AND email = 'p' THEN DELETE",
  "SELECT (SELECT o.email = 'p' FROM o) FROM v AS o",
  "DELETE FROM v USING o JOIN (VALUES (1)) x (i) ON email = 'p' WHERE v.id = 1",
  "UPDATE v SET id = 1 FROM (SELECT FROM o WHERE email = 'p') x",
])
  t.test(`keeps the other one in ${sql}`, async (t) => t.equal(sentFor(sql), sql));

for (const [sql, kind] of [
  [
    "MERGE INTO v USING (VALUES (9, 'p'::bytea)) s (id, email) ON v.id = s.id WHEN NOT MATCHED THEN INSERT (id, email) VALUES (s.id, upper(email))",
    'value-hidden',
  ],
  ['MERGE INTO v USING o ON v.id = o.id WHEN NOT MATCHED THEN INSERT (id, email) VALUES (o.id, email)', 'value-hidden'],
  ["SELECT (SELECT public.v.email = 'p' FROM o AS v)", 'name-missing'],
  [
    "WITH RECURSIVE a AS (SELECT email AS e FROM o), o AS (SELECT email FROM v) SELECT FROM a WHERE e = 'p'",
    'ambiguous-name',
  ],
] as const)
  t.test(`rejects ${sql}`, async (t) => t.equal(kindOf(sql), kind));

t.test('encrypts a source of MERGE that has the name of the column that it is for', async (t) => {
  const merge = (value: string) =>
    `MERGE INTO v USING (VALUES (9, ${value})) s (id, email) ON v.id = s.id WHEN NOT MATCHED THEN INSERT (id, email) VALUES (s.id, email)`;
  t.equal(sentFor(merge("'p'::bytea")), merge('<p>::bytea::bytea'));
});

t.test('keeps WITH RECURSIVE in the order in which its queries are read', async (t) => {
  const sql =
    'WITH RECURSIVE r AS (SELECT 1 AS id UNION ALL SELECT id + 1 FROM r), q AS (SELECT email FROM v JOIN r USING (id)) TABLE q';
  t.equal(kindOf(sql), 'passes');
});
