/** What puts rows in order or in groups by a result that it does not name: by its place, or by a name that PostgreSQL gives. */
import t from 'tap';
import { kindOf } from '../support/verdicts.ts';

const REJECTED: Readonly<Record<string, readonly string[]>> = {
  order: [
    'SELECT count(*) AS secret FROM v GROUP BY secret',
    'SELECT 1 AS secret FROM v GROUP BY secret',
    'SELECT EXISTS (SELECT 1 AS secret) FROM v ORDER BY secret',
    'SELECT ARRAY(SELECT 1 AS secret) FROM v ORDER BY secret',
    'SELECT id IN (SELECT 1 AS secret) FROM v ORDER BY secret',
    'SELECT NULLIF(id, 1) FROM v GROUP BY ROLLUP (id, (secret))',
    'SELECT o.*, v.secret FROM o, v ORDER BY 4',
    'SELECT o.*, v.secret FROM o, v GROUP BY 2',
    'SELECT secret AS e, count(*) FROM v GROUP BY ROLLUP (e)',
    'SELECT secret AS e, count(*) FROM v GROUP BY CUBE (1)',
    'SELECT secret AS e, count(*) FROM v GROUP BY GROUPING SETS ((), ROLLUP (id, 1))',
    'SELECT secret AS e, id FROM v GROUP BY (2, 1)',
    'SELECT secret AS e, id FROM v GROUP BY (id, e)',
    'SELECT o.id, (SELECT secret FROM v UNION ALL SELECT secret FROM v) FROM o ORDER BY secret',
    'SELECT o.id, CASE WHEN true THEN (SELECT secret AS z FROM v) ELSE (SELECT secret AS z FROM v) END FROM o ORDER BY z',
    'SELECT o.id, CASE WHEN true THEN (SELECT secret FROM v) END FROM o ORDER BY "case"',
    'SELECT o.id, (SELECT s.* FROM (SELECT secret FROM v) s) FROM o ORDER BY secret',
    "INSERT INTO v (id, secret) VALUES (1, 'p'), (2, 'q') ORDER BY column2 LIMIT 1",
    "INSERT INTO v (id, secret) VALUES (1, 'p'), (2, 'q') ORDER BY 2 LIMIT 1",
  ],
  'ambiguous-name': ['SELECT o.*, v.secret, x.* FROM o, v, o x'],
};
for (const [kind, statements] of Object.entries(REJECTED))
  for (const sql of statements) t.test(`rejects (${kind}): ${sql}`, async (t) => t.equal(kindOf(sql), kind));

for (const sql of [
  'SELECT v.secret, o.* FROM o, v ORDER BY id',
  'SELECT o.*, v.secret FROM o, v ORDER BY o.id',
  'SELECT v.id, o.*, v.secret FROM o, v ORDER BY 1',
  'SELECT id, count(*) FROM v GROUP BY ROLLUP (1)',
  'SELECT name AS secret, count(*) FROM o GROUP BY secret',
  'SELECT n AS secret, count(*) FROM (SELECT id AS n FROM v) x GROUP BY secret',
  'SELECT (SELECT 1 AS one) FROM v ORDER BY one',
  'SELECT id AS secret FROM v ORDER BY secret',
  'SELECT CASE WHEN true THEN secret END, id FROM v ORDER BY id',
  "INSERT INTO v (id, secret) VALUES (1, 'p'), (2, 'q') ORDER BY column1 LIMIT 1",
  "INSERT INTO v (id, secret) (VALUES (1, 'p') UNION ALL SELECT 2, 'q')",
  "SELECT d.case FROM (SELECT CASE WHEN true THEN email END FROM v) d WHERE d.case = 'p'",
])
  t.test(`keeps ${sql}`, async (t) => t.equal(kindOf(sql), 'passes'));
