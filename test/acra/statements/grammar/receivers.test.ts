/** Who is given values that nobody protects, where only listed relations and functions are (guard.relations). */
import t from 'tap';
import type { Policy } from '../../../../acra/statements/policy.ts';
import { stateOf } from '../support/verdicts.ts';

const LISTED: Policy = {
  relations: 'listed',
  list: { relations: ['orders', 'Mixed'], functions: ['touch'], operators: ['<=>'], uniqueSearches: [] },
};
const ANY: Policy = { ...LISTED, relations: 'any' };

/** Each may put a value into, or compare one with, a protected column under another name. */
const NOT_LISTED = [
  "INSERT INTO hidden (email) VALUES ('flu')",
  "INSERT INTO public.hidden VALUES ('flu')",
  'INSERT INTO mixed VALUES ($1)',
  'UPDATE hidden SET a = $1',
  'DELETE FROM hidden WHERE a = $1',
  'MERGE INTO hidden h USING o ON h.id = o.id WHEN MATCHED THEN DELETE',
  "WITH hidden AS (SELECT 1) INSERT INTO hidden VALUES ('flu')",
  "WITH x AS (INSERT INTO hidden VALUES ('flu') RETURNING 1) SELECT * FROM x",
  'COPY hidden FROM STDIN',
  "EXPLAIN ANALYZE INSERT INTO hidden VALUES ('flu')",
  'PREPARE p AS INSERT INTO hidden VALUES ($1)',
  "SELECT save('flu')",
  'SELECT save(id, $1) FROM orders',
  "SELECT * FROM save('flu')",
  "SELECT * FROM ROWS FROM (now(), save('flu')) x",
  "CALL save('flu')",
  "CALL touch(save('flu'))",
  "INSERT INTO orders VALUES (save('flu'))",
  "SELECT save((SELECT 'flu'))",
  "SELECT max(id) FILTER (WHERE save('flu')) FROM orders",
  "SELECT public.lower('flu')",
  "SELECT query_to_xml('UPDATE …', true, true, '')",
  "SELECT lo_from_bytea(0, 'flu')",
  "DO $$ BEGIN PERFORM save('flu'); END $$",
  "SELECT * FROM hidden WHERE email = 'flu'",
  "SELECT * FROM hidden h WHERE h.email LIKE 'flu%'",
  "SELECT * FROM (SELECT * FROM hidden) x WHERE email = 'flu'",
  "SELECT * FROM (SELECT email AS m FROM hidden) x WHERE m = 'flu'",
  "SELECT * FROM (SELECT 'a' AS m UNION ALL SELECT email FROM hidden) x WHERE m = 'flu'",
  "SELECT * FROM (SELECT 'a' AS m UNION ALL SELECT * FROM hidden) x WHERE m = 'flu'",
  "WITH w AS (SELECT * FROM hidden) SELECT * FROM w WHERE email = 'flu'",
  "WITH RECURSIVE r AS (SELECT * FROM hidden UNION ALL SELECT * FROM r WHERE email = 'flu') SELECT * FROM r",
  "SELECT * FROM hidden AS h (a, b) WHERE b = 'flu'",
  "SELECT * FROM hidden JOIN (VALUES ('flu')) x (email) USING (email)",
  "SELECT * FROM hidden NATURAL JOIN (VALUES ('flu')) x (email)",
  "SELECT * FROM hidden h JOIN (VALUES ('flu')) x (e) ON h.email = x.e",
  "SELECT * FROM hidden WHERE (hidden).email = 'flu'",
  "SELECT * FROM hidden WHERE email(hidden) = 'flu'",
  "SELECT * FROM hidden WHERE hidden = ROW ('flu')",
  "SELECT * FROM hidden WHERE hidden.* = ROW ('flu')",
  "SELECT * FROM hidden WHERE hidden::text LIKE '%flu%'",
  "SELECT 'flu' IN (SELECT email FROM hidden)",
  "SELECT 'flu' IN (SELECT * FROM hidden)",
  "SELECT (SELECT email FROM hidden) = 'flu'",
  "SELECT * FROM report() WHERE email = 'flu'",
  // A function is given nothing at all: a column may hold a value of the statement.
  'SELECT save(id) FROM orders',
  "SELECT save(v.a) FROM (VALUES ('flu')) v (a)",
  "SELECT save(x) FROM unnest(ARRAY['flu']) x",
  "WITH w AS (SELECT 'flu' AS a) SELECT save(a) FROM w",
  'SELECT save(a) FROM (SELECT $1 AS a) x',
  "SELECT (ROW (9, 'flu')::notes).save",
  "SELECT ('flu'::text).save",
  "SELECT (v).save FROM (VALUES ('flu')) v (a)",
  "SELECT (v.a).save FROM (VALUES ('flu')) v (a)",
  "SELECT percentile(0.5) WITHIN GROUP (ORDER BY 'flu')",
  // An operator is a function, too.
  "SELECT 'flu' === 'x'",
  'SELECT id === $1 FROM orders',
  "SELECT !!! 'flu'",
  "SELECT 'flu' OPERATOR(public.=) 'x'",
  "SELECT 'flu' === ANY (ARRAY['x'])",
  "SELECT 'flu' === ANY (SELECT id FROM orders)",
  'SELECT id FROM orders ORDER BY id USING <<<',
  'SELECT rank() OVER (ORDER BY id USING <<<) FROM orders',
  'SELECT array_agg(id ORDER BY id USING <<<) FROM orders',
  // What begins like PostgreSQL's own, and is not.
  "SELECT * FROM pg_patients WHERE email = 'flu'",
  "SELECT * FROM information_schema.hidden WHERE email = 'flu'",
  "SELECT * FROM pg_catalog.hidden WHERE email = 'flu'",
  // Under another name than in the protected table.
  "SELECT * FROM renamed WHERE address = 'flu'",
  'SELECT * FROM renamed WHERE address = $1',
  'SELECT * FROM renamed WHERE id = 5',
  "SELECT * FROM renamed WHERE lower(address) LIKE 'flu%'",
  'SELECT * FROM renamed WHERE address IN ($1, $2) OR address = ANY ($3)',
  "SELECT * FROM renamed r JOIN (VALUES ('flu')) x (e) ON r.address = x.e",
  "SELECT * FROM renamed r JOIN (VALUES ('flu')) x (address) USING (address)",
  "SELECT * FROM (SELECT address AS a FROM renamed) x WHERE a = 'flu'",
  "SELECT * FROM (SELECT 'b' AS a UNION ALL SELECT address FROM renamed) x WHERE a = 'flu'",
  "SELECT 'flu' IN (SELECT address FROM renamed)",
  "SELECT * FROM renamed WHERE address IN (SELECT 'flu')",
  "SELECT * FROM renamed WHERE address = (SELECT 'flu')",
  "SELECT CASE address WHEN 'flu' THEN 1 END FROM renamed",
  "SELECT nullif(address, 'flu') FROM renamed",
  "SELECT * FROM orders o, renamed r WHERE address = 'flu'",
  "SELECT address FROM renamed EXCEPT SELECT 'flu'",
  "SELECT 'flu' INTERSECT SELECT address FROM renamed",
  "SELECT greatest(address, 'flu') FROM renamed",
  "SELECT * FROM (SELECT address || '' AS a FROM renamed) x WHERE a = 'flu'",
  "SELECT * FROM (SELECT max(address) AS a FROM renamed) x WHERE a = 'flu'",
  "SELECT * FROM (SELECT coalesce('x', address) AS a FROM renamed) x WHERE a = 'flu'",
  "UPDATE v SET id = 1 FROM hidden h WHERE h.email = 'flu'",
];

for (const sql of NOT_LISTED) {
  t.test(`rejects ${sql}`, async (t) => {
    t.equal(stateOf(sql, LISTED), '42501');
    if (!sql.startsWith('DO')) t.equal(stateOf(sql, ANY), 'passes', 'with `any`');
  });
}

const KEPT = [
  "SELECT id <=> $1, id OPERATOR(public.<=>) 'x' FROM orders ORDER BY id USING <",
  "SELECT id = $1, id OPERATOR(pg_catalog.=) 2, id BETWEEN 1 AND 2, a NOT LIKE 'x', a SIMILAR TO 'x', a ? 'b', @ -1 FROM orders",
  'SELECT NULL === NULL',
  "INSERT INTO orders (email) VALUES ('flu')",
  "INSERT INTO other.orders (email) VALUES ('flu')",
  'INSERT INTO "Mixed" VALUES ($1)',
  'INSERT INTO v (id) VALUES ($1)',
  'COPY orders FROM STDIN',
  'SELECT touch($1)',
  'CALL touch($1)',
  'SELECT save(), save(NULL) FROM orders',
  'SELECT touch(id) FROM orders',
  'SELECT (p.address).city, (address).zip FROM orders p',
  'SELECT (v).a, (json_each($1)).key FROM (VALUES (1)) v (a)',
  'SELECT patients.ctid, p.xmin FROM orders patients, orders p',
  'UPDATE orders SET a = $1 RETURNING old.ctid, new.a',
  "SELECT lower('X'), pg_catalog.upper($1), now(), coalesce(note, 'x'), extract(year FROM now()) FROM hidden",
  "SELECT nextval('s'), gen_random_uuid(), round(2.5, 1), string_agg(note, ',') FROM hidden GROUP BY id",
  'SELECT * FROM hidden h JOIN other o ON h.id = o.id WHERE h.active AND h.deleted IS NULL AND h.flag = true',
  "SELECT note || 'x', price * 2, payload -> 'a' FROM hidden ORDER BY note LIMIT 5",
  'SELECT * FROM orders o JOIN hidden h ON h.id = o.id WHERE o.id = $1',
  'SELECT * FROM orders WHERE id IN (SELECT id FROM hidden)',
  'SELECT * FROM (SELECT count(address) AS n FROM renamed) x WHERE n > 5',
  'SELECT id FROM orders INTERSECT SELECT id FROM hidden',
  "SELECT name, 'here' FROM hidden UNION ALL SELECT name, 'there' FROM orders",
  'SELECT email, count(email), email IS NULL FROM hidden GROUP BY id',
  'SELECT row_to_json(hidden) FROM hidden',
  "SELECT * FROM orders WHERE email = 'flu'",
  "SELECT * FROM orders NATURAL JOIN (VALUES ('flu')) x (email)",
  "SELECT relname FROM pg_class WHERE relname = 'email'",
  "SELECT * FROM information_schema.columns WHERE column_name = 'email'",
  "SELECT * FROM jsonb_to_recordset('[]') AS x (email text) WHERE email = 'flu'",
  'WITH RECURSIVE n AS (SELECT 1 AS email UNION ALL SELECT email + 1 FROM n WHERE email < 5) SELECT * FROM n',
  "CREATE TABLE made AS SELECT 'flu' AS email",
  'COPY hidden TO STDOUT',
];

for (const sql of KEPT) {
  t.test(`keeps ${sql}`, async (t) => {
    t.equal(stateOf(sql, LISTED), 'passes');
  });
}
