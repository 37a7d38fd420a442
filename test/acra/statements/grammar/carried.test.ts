/** Where values of the statement get to by other ways than their own name: what holds one is compared with nothing of a relation that nobody listed. */
import t from 'tap';
import type { Policy } from '../../../../acra/statements/policy.ts';
import { stateOf } from '../support/verdicts.ts';

const LISTED: Policy = {
  relations: 'listed',
  list: { relations: ['orders'], functions: ['touch'], uniqueSearches: [] },
};

const CARRIED = [
  "SELECT 1 FROM (SELECT coalesce(address, 'X') AS a FROM renamed) x JOIN renamed r ON x.a = r.address",
  "SELECT 1 FROM (SELECT CASE WHEN id IS NULL THEN address ELSE 'X' END AS a FROM renamed) x JOIN renamed r ON x.a = r.address",
  "SELECT 1 FROM renamed r JOIN LATERAL (SELECT left(r.address, 0) || 'X' AS a) x ON x.a = r.address",
  "SELECT 1 FROM renamed r WHERE r.address IN (SELECT left(q.address, 0) || 'X' FROM renamed q)",
  "SELECT a FROM (SELECT address FROM renamed UNION ALL SELECT 'X') u (a) GROUP BY a",
  "SELECT DISTINCT a FROM (SELECT address FROM renamed UNION ALL SELECT 'X') u (a)",
  "SELECT count(DISTINCT a) FROM (SELECT address FROM renamed UNION ALL SELECT 'X') u (a)",
  "SELECT u.a FROM (SELECT address FROM renamed UNION ALL SELECT 'X') u (a) JOIN renamed r ON u.a = r.address",
  "SELECT 1 FROM (SELECT * FROM orders UNION ALL SELECT 1, 'X') v JOIN renamed r ON v.note = r.address",
  "SELECT 1 FROM (SELECT 'X' AS k, * FROM orders) v (a, b) JOIN renamed r ON v.a = r.address",
  "SELECT 1 FROM renamed r, unnest(ARRAY[r.address]) u (a) WHERE u.a = 'X'",
  "SELECT 1 FROM renamed r, jsonb_each_text(r.doc) e WHERE e.value = 'X'",
  "SELECT 1 FROM renamed r, JSON_TABLE(r.doc, '$[*]' COLUMNS (a text PATH '$.a')) j WHERE j.a = 'X'",
  "SELECT 1 FROM renamed r, XMLTABLE('/rows/row' PASSING r.doc COLUMNS a text PATH '@a') x WHERE x.a = 'X'",
  "SELECT 1 FROM renamed r, upper('X') t (v) WHERE r.address = t.v",
  "SELECT 1 FROM renamed r, upper('X') t WHERE r.address = t",
  "SELECT 1 FROM renamed r JOIN unnest(string_to_array($1, ',')) t (v) ON r.address = t.v",
  'SELECT 1 FROM renamed r WHERE r.address IN (SELECT v FROM jsonb_array_elements_text($1) v)',
  'SELECT 1 FROM renamed r WHERE r.address IN (SELECT * FROM jsonb_array_elements_text($1))',
  "SELECT address FROM renamed INTERSECT SELECT * FROM upper('X')",
  "SELECT 1 FROM renamed r JOIN JSON_TABLE($1, '$[*]' COLUMNS (a text PATH '$')) j ON j.a = r.address",
  "SELECT 1 FROM renamed r JOIN touch('X') t (v) ON r.address = t.v",
  "SELECT 1 FROM renamed JOIN upper('X') AS t (address) USING (address)",
  "SELECT 1 FROM (renamed JOIN orders USING (address)) AS j WHERE j.address = 'X'",
  "SELECT 1 FROM (SELECT * FROM renamed JOIN orders USING (address)) j WHERE j.address = 'X'",
  "SELECT 1 FROM renamed JOIN orders USING (address) AS j WHERE j.address = 'X'",
  'WITH RECURSIVE t (a) AS (SELECT address FROM renamed UNION ALL SELECT a FROM t WHERE false) SEARCH DEPTH FIRST BY a SET o SELECT 1 FROM t WHERE o = $1',
  "WITH RECURSIVE renamed AS (SELECT address FROM public.renamed UNION ALL SELECT address FROM renamed WHERE address = 'X') SELECT 1",
  "WITH RECURSIVE t (x) AS (SELECT 'X' UNION ALL SELECT r.address FROM t JOIN renamed r ON r.address = t.x) SELECT 1 FROM t",
  "WITH RECURSIVE v (x) AS (SELECT 'X'), t (x) AS (SELECT x FROM v UNION ALL SELECT r.address FROM t JOIN renamed r ON r.address = t.x) SELECT 1 FROM t",
  "WITH RECURSIVE t (a, b) AS (SELECT 'X', address FROM renamed UNION ALL SELECT t.b, t.a FROM t JOIN renamed r ON r.address = t.b) SELECT 1 FROM t",
  "UPDATE v SET plain = CASE r.address WHEN 'X' THEN 'a' ELSE 'b' END FROM renamed r WHERE r.id = v.id",
];

for (const sql of CARRIED) {
  t.test(`rejects ${sql}`, async (t) => {
    t.equal(stateOf(sql, LISTED), '42501');
  });
}

const APART = [
  'WITH RECURSIVE t AS (SELECT id, ARRAY[id] AS path FROM nodes UNION ALL SELECT n.id, t.path || n.id FROM nodes n JOIN t ON n.parent = t.id) SELECT * FROM t',
  'WITH RECURSIVE t AS (SELECT id, 1 AS depth FROM nodes UNION ALL SELECT n.id, t.depth + 1 FROM nodes n JOIN t ON n.parent = t.id) SELECT * FROM t',
  'WITH RECURSIVE t (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT n FROM t',
  "SELECT 1 FROM hidden a JOIN hidden b ON date_trunc('day', a.created) = date_trunc('day', b.created)",
  "SELECT 1 FROM (SELECT date_trunc('day', created) AS d FROM hidden) x JOIN other y ON x.d = y.day",
  "SELECT 1 FROM hidden a JOIN hidden b ON a.payload ->> 'key' = b.payload ->> 'key'",
  'SELECT 1 FROM (SELECT * FROM hidden JOIN other USING (id)) x JOIN third USING (id)',
  'SELECT h.id FROM hidden h, generate_series(1, 5) g WHERE h.title = h.note',
  'SELECT t.tag FROM hidden h, unnest(h.tags) AS t (tag) JOIN other o ON true WHERE o.tag = t.tag ORDER BY 1',
  "SELECT j.a FROM hidden h, JSON_TABLE(h.payload, '$[*]' COLUMNS (a text PATH '$.a')) j JOIN other o ON true WHERE o.a = j.a",
  "SELECT coalesce(note, '') AS n, count(*) FROM hidden GROUP BY n ORDER BY n",
  'SELECT kind FROM hidden GROUP BY kind HAVING count(id) > 1',
  'SELECT * FROM (SELECT row_number() OVER (PARTITION BY kind ORDER BY id) AS n, id FROM hidden) x WHERE n <= $1',
  'SELECT 1 FROM (SELECT (SELECT max(o.total) FROM other o WHERE o.id = h.id) AS m FROM hidden h) x JOIN other y ON y.total > x.m',
  'SELECT * FROM hidden JOIN other USING (id) ORDER BY id',
];

for (const sql of APART) {
  t.test(`keeps ${sql}`, async (t) => {
    t.equal(stateOf(sql, LISTED), 'passes');
  });
}
