/** Whole rows, and other ways to a protected column that do not name it. */
import t from 'tap';
import { kindOf } from '../support/verdicts.ts';

const REJECTED: Readonly<Record<string, readonly string[]>> = {
  expression: [
    'SELECT v.to_jsonb FROM v',
    "SELECT id FROM v WHERE v.to_jsonb->>'email' = 'p'",
    'SELECT public.v.row_to_json FROM v',
    'SELECT v.computed FROM v',
    'SELECT s.to_jsonb FROM (SELECT o.*, v.email FROM o, v) s',
    'UPDATE v SET id = 1 RETURNING new.to_jsonb',
    'SELECT JSON_ARRAY(SELECT email FROM v)',
  ],
  'name-missing': [
    'SELECT s.row_to_json FROM (SELECT email FROM v) s',
    "SELECT x.to_jsonb FROM v JOIN (VALUES ('p')) x (e) ON email = e",
    "SELECT x.to_jsonb, x.e = v.email FROM v, (VALUES ('p')) x (e)",
    "SELECT t.to_jsonb->>'email' = 'p' FROM (SELECT email FROM w) t",
  ],
  'function-unlisted': ["SELECT (SELECT w FROM w LIMIT 1).email = 'p'", "SELECT (report()).email = 'p'"],
  'column-unlisted': [
    "SELECT to_jsonb(w)->>'email' = 'p' FROM w",
    "SELECT w.to_jsonb->>'email' = 'p' FROM w",
    "SELECT j->>'email' = 'p' FROM (SELECT to_jsonb(w) AS j FROM w) s",
    "SELECT to_jsonb(t)->>'email' = 'p' FROM (SELECT email FROM w) t",
    "SELECT concat(w) = 'p' FROM w",
    "SELECT (w.*)::text = 'p' FROM w",
    "SELECT FROM w WHERE ROW (w.*) = ROW (1, 'p')",
    "SELECT FROM w WHERE ROW (w) = ROW (ROW (1, 'p')::w)",
    "SELECT FROM w WHERE w IN (SELECT ROW (1, 'p')::w)",
    "SELECT (s.e).email = 'p' FROM (SELECT w AS e FROM w) s",
    "SELECT (s.e).email = 'p' FROM (SELECT w FROM w) s (e)",
    "SELECT (w.pair).email = 'p' FROM w",
    "SELECT * FROM (SELECT * FROM w) s (a, b, c) WHERE c = 'p'",
    "WITH s (a, b, c) AS (SELECT * FROM w) SELECT * FROM s WHERE c = 'p'",
    "SELECT * FROM (w JOIN o ON true) AS j (a, b, c) WHERE c = 'p'",
    "SELECT * FROM (SELECT o.*, w.email FROM o, w) s (a, b, c) WHERE c = 'p'",
    "SELECT * FROM report() AS s (a, b) WHERE b = 'p'",
    "SELECT * FROM (SELECT coalesce('x', w.email) AS e FROM w) s WHERE e = 'p'",
    "SELECT * FROM (SELECT CASE WHEN true THEN 'x' ELSE w.email END AS e FROM w) s WHERE e = 'p'",
    "SELECT * FROM (SELECT (SELECT w.* FROM w LIMIT 1) AS e) s WHERE e = 'p'",
    "SELECT email FROM w EXCEPT SELECT 'p'",
    "SELECT * FROM w INTERSECT SELECT 1, 'p'",
    'SELECT email FROM w UNION SELECT email FROM w',
    'SELECT DISTINCT email FROM w',
    'SELECT email FROM w ORDER BY 1',
    'SELECT id, email AS e FROM w GROUP BY e, id',
    'SELECT * FROM w NATURAL JOIN w x',
    'INSERT INTO o SELECT email FROM w',
    'UPDATE o SET (a, b) = (SELECT id, email FROM w)',
  ],
};
for (const [kind, statements] of Object.entries(REJECTED))
  for (const sql of statements) t.test(`rejects (${kind}): ${sql}`, async (t) => t.equal(kindOf(sql), kind));

for (const sql of [
  'SELECT v.ctid, v.tableoid FROM v',
  'SELECT o.to_jsonb, o.whatever, to_jsonb(o), (o).email FROM o',
  "SELECT s.note = 'p' FROM (SELECT o.*, v.email FROM o, v) s",
  'SELECT w, row_to_json(w), (SELECT json_agg(w) FROM w), count(w), count(w.*), w IS NULL FROM w',
  'SELECT w.id, w.name || w.other FROM w WHERE w.id = w.parent ORDER BY w.name',
  'SELECT w.* FROM w UNION ALL SELECT * FROM w',
  "SELECT s.b = 'p' FROM (SELECT * FROM o) s (a, b)",
  'SELECT DISTINCT id FROM w ORDER BY 1',
])
  t.test(`keeps ${sql}`, async (t) => t.equal(kindOf(sql), 'passes'));
