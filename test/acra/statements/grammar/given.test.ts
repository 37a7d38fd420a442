/** Values of the statement that are a column (VALUES, WITH, unnest) and go to a protected one through casts, WITH ORDINALITY and ROWS FROM. */
import t from 'tap';
import { kindOf, sentFor } from '../support/verdicts.ts';

const REWRITTEN: Readonly<Record<string, string>> = {
  "UPDATE v SET secret = x.s::text FROM (VALUES (1, 'p'), (2, $1), (3, NULL)) AS x (id, s) WHERE v.id = x.id":
    'UPDATE v SET secret = x.s::bytea FROM (VALUES (1, <p>::bytea), (2, $1), (3, NULL::bytea)) AS x (id, s) WHERE v.id = x.id',
  "UPDATE v SET secret = CAST(CAST(x.s AS text) AS varchar) FROM (VALUES ('p')) AS x (s)":
    'UPDATE v SET secret = CAST(CAST(x.s AS bytea) AS bytea) FROM (VALUES (<p>::bytea)) AS x (s)',
  "UPDATE v SET secret = coalesce(x.s::text, 'q'), email = email::text FROM (VALUES ('p')) AS x (s)":
    'UPDATE v SET secret = coalesce(x.s::bytea, <q>::bytea), email = email::bytea FROM (VALUES (<p>::bytea)) AS x (s)',
  'INSERT INTO v (id, secret) SELECT u.i::int, u.s::text FROM unnest($1::int[], $2::text[]) AS u (i, s)':
    'INSERT INTO v (id, secret) SELECT u.i::int, u.s::bytea FROM unnest($1::int[], $2::bytea[]) AS u (i, s)',
  "WITH x (id, s) AS (VALUES (9, 'p')), y AS (SELECT id, s::text AS t FROM x) INSERT INTO v (id, secret) SELECT id, t FROM y":
    'WITH x (id, s) AS (VALUES (9, <p>::bytea)), y AS (SELECT id, s::bytea AS t FROM x) INSERT INTO v (id, secret) SELECT id, t FROM y',
  "WITH x (s) AS (VALUES ('p')), z AS (INSERT INTO v (secret) SELECT s FROM x RETURNING id) SELECT s::text FROM x":
    'WITH x (s) AS (VALUES (<p>::bytea)), z AS (INSERT INTO v (secret) SELECT s FROM x RETURNING id) SELECT s::bytea FROM x',
  "MERGE INTO v USING (VALUES (1, 'p')) x (i, s) ON v.id = x.i WHEN MATCHED THEN UPDATE SET secret = x.s::text WHEN NOT MATCHED THEN INSERT (id, secret) VALUES (x.i, x.s::text)":
    'MERGE INTO v USING (VALUES (1, <p>::bytea)) x (i, s) ON v.id = x.i WHEN MATCHED THEN UPDATE SET secret = x.s::bytea WHEN NOT MATCHED THEN INSERT (id, secret) VALUES (x.i, x.s::bytea)',
  'SELECT x.s::text FROM (VALUES ($1)) x (s)': 'SELECT x.s::text FROM (VALUES ($1)) x (s)',
  'INSERT INTO v (id, secret) SELECT n, s FROM unnest($1::text[]) WITH ORDINALITY AS u (s, n)':
    'INSERT INTO v (id, secret) SELECT n, s FROM unnest($1::bytea[]) WITH ORDINALITY AS u (s, n)',
  'INSERT INTO v (secret) SELECT u FROM unnest($1::text[]) WITH ORDINALITY AS u ORDER BY ordinality':
    'INSERT INTO v (secret) SELECT u FROM unnest($1::bytea[]) WITH ORDINALITY AS u ORDER BY ordinality',
  'SELECT v.id FROM v JOIN unnest($1::text[]) WITH ORDINALITY AS u (e, n) ON v.email = u.e ORDER BY u.n':
    'SELECT v.id FROM v JOIN unnest($1::bytea[]) WITH ORDINALITY AS u (e, n) ON substr(v.email, 1, 33) = substr(u.e, 1, 33) ORDER BY u.n',
  'INSERT INTO v (id, secret) SELECT n, s FROM ROWS FROM (unnest($1::int[]), unnest($2::text[])) AS u (n, s)':
    'INSERT INTO v (id, secret) SELECT n, s FROM ROWS FROM (unnest($1::int[]), unnest($2::bytea[])) AS u (n, s)',
};

for (const [sql, expected] of Object.entries(REWRITTEN)) {
  t.test(`rewrites ${sql}`, async (t) => {
    t.equal(sentFor(sql), expected);
  });
}

const REJECTED: readonly (readonly [sql: string, kind: string])[] = [
  ["UPDATE v SET secret = x.s::int FROM (VALUES ('p')) AS x (s)", 'cast'],
  ["UPDATE v SET secret = x.s::varchar(3) FROM (VALUES ('p')) AS x (s)", 'cast'],
  ["WITH x (s) AS (VALUES ('p')), y AS (SELECT s::int AS n, s FROM x) INSERT INTO v (secret) SELECT s FROM y", 'cast'],
  [
    "WITH x (s) AS (VALUES ('p')), z AS (INSERT INTO v (secret) SELECT s FROM x RETURNING id) SELECT s::int FROM x",
    'cast',
  ],
  [
    "WITH x (s) AS (VALUES ('p')), y AS (SELECT lower(s::text) AS l, s FROM x) INSERT INTO v (secret) SELECT s FROM y",
    'value-shared',
  ],
  ['UPDATE v SET secret = o.note::text FROM o', 'value-hidden'],
  ['UPDATE v SET secret = email::text', 'value-hidden'],
  ['INSERT INTO v (secret) SELECT n FROM unnest($1::text[]) WITH ORDINALITY AS u (s, n)', 'value-hidden'],
  [
    'INSERT INTO v (secret) SELECT s FROM ROWS FROM (unnest($1::text[]), generate_series(1, 3)) AS u (s, n)',
    'value-hidden',
  ],
];

for (const [sql, kind] of REJECTED) {
  t.test(`rejects ${sql}`, async (t) => {
    t.equal(kindOf(sql), kind);
  });
}
