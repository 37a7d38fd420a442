/** What becomes of a statement where values are protected outside of it: by PostgreSQL's grammar, wherever a column can be followed. */
import t from 'tap';
import { judge } from '../../../../acra/statements/judge.ts';
import { loadParser, parseText } from '../../../../acra/statements/parser.ts';
import type { Plan, PreparedStatements } from '../../../../acra/statements/plan.ts';
import { ANY_RELATION } from '../../../../acra/statements/policy.ts';
import { column, tables } from '../../../emulator/acra-server/support/vector-cipher.ts';
import { shownText } from '../support/shown-text.ts';

const parser = await loadParser();
const judged = (sql: string, prepared?: PreparedStatements) =>
  judge({ tables, reader: 'engine', policy: ANY_RELATION }, parseText(parser, sql), prepared);

function planOf(sql: string, prepared?: PreparedStatements): Plan {
  const verdict = judged(sql, prepared);
  if (verdict.kind === 'refused') throw new Error(`${verdict.sqlState} ${verdict.reason}: ${sql}`);
  return verdict.plan;
}

const rewritten = (sql: string, prepared?: PreparedStatements) => shownText(sql, planOf(sql, prepared));

const REWRITTEN: Readonly<Record<string, string>> = {
  "INSERT INTO v (id, secret) VALUES (1, 'p') ON CONFLICT (id) DO UPDATE SET secret = excluded.secret, email = 'q'":
    'INSERT INTO v (id, secret) VALUES (1, <p>::bytea) ON CONFLICT (id) DO UPDATE SET secret = excluded.secret, email = <q>::bytea',
  "INSERT INTO v AS a (secret) VALUES ('p') ON CONFLICT (id) DO UPDATE SET secret = a.secret WHERE a.email = 'q'":
    'INSERT INTO v AS a (secret) VALUES (<p>::bytea) ON CONFLICT (id) DO UPDATE SET secret = a.secret WHERE substr(a.email, 1, 33) = <hash q>::bytea',
  "INSERT INTO v SELECT 1, 'p', 'q', '\\x00'": 'INSERT INTO v SELECT 1, <p>::bytea, <q>::bytea, <\\x00>::bytea',
  "INSERT INTO v (secret) SELECT 'p' UNION ALL SELECT 'q'":
    'INSERT INTO v (secret) SELECT <p>::bytea UNION ALL SELECT <q>::bytea',
  "INSERT INTO v (secret) VALUES ((SELECT 'p'))": 'INSERT INTO v (secret) VALUES ((SELECT <p>::bytea))',
  "WITH x AS (INSERT INTO v (secret) VALUES ('p') RETURNING id) SELECT * FROM x":
    'WITH x AS (INSERT INTO v (secret) VALUES (<p>::bytea) RETURNING id) SELECT * FROM x',
  "SELECT 1; INSERT INTO v (secret) VALUES ('p'); UPDATE v SET secret = 'q'":
    'SELECT 1; INSERT INTO v (secret) VALUES (<p>::bytea); UPDATE v SET secret = <q>::bytea',
  "INSERT INTO v (secret) VALUES ($$p$$), (E'p'), (U&'d!0061' UESCAPE '!'), ('p'\n'q'), (-3), (1.5), (NULL), (DEFAULT)":
    'INSERT INTO v (secret) VALUES (<p>::bytea), (<p>::bytea), (<da>::bytea), (<pq>::bytea), (<-3>::bytea), (<1.5>::bytea), (NULL), (DEFAULT)',
  "INSERT INTO v (email) VALUES (text 'p'), (cast('p' AS text)), (cast('p' AS character varying)), ('p'::pg_catalog.text), ('p'::\"varchar\")":
    'INSERT INTO v (email) VALUES (bytea <p>::bytea), (cast(<p>::bytea AS bytea)), (cast(<p>::bytea AS bytea)), (<p>::bytea::bytea), (<p>::bytea::bytea)',
  "UPDATE v SET (id, secret) = (1, 'p')": 'UPDATE v SET (id, secret) = (1, <p>::bytea)',
  "UPDATE v SET (email, secret) = (SELECT 'p', 'q')": 'UPDATE v SET (email, secret) = (SELECT <p>::bytea, <q>::bytea)',
  "UPDATE ONLY v SET secret = CASE WHEN email = 'e' THEN 'p' ELSE secret END":
    'UPDATE ONLY v SET secret = CASE WHEN substr(email, 1, 33) = <hash e>::bytea THEN <p>::bytea ELSE secret END',
  "MERGE INTO v USING o ON v.id = o.id WHEN NOT MATCHED THEN INSERT VALUES (1, 'p', 'q', 'r') WHEN MATCHED AND v.email = 'z' THEN UPDATE SET secret = 's'":
    'MERGE INTO v USING o ON v.id = o.id WHEN NOT MATCHED THEN INSERT VALUES (1, <p>::bytea, <q>::bytea, <r>::bytea) WHEN MATCHED AND substr(v.email, 1, 33) = <hash z>::bytea THEN UPDATE SET secret = <s>::bytea',
  "EXPLAIN ANALYZE INSERT INTO v (secret) VALUES ('p')": 'EXPLAIN ANALYZE INSERT INTO v (secret) VALUES (<p>::bytea)',
  "SELECT * FROM v WHERE 'p' = email AND (email) = ('p') AND email::text = 'p'::text":
    'SELECT * FROM v WHERE <hash p>::bytea = substr(email, 1, 33) AND (substr(email, 1, 33)) = (<hash p>::bytea) AND substr(email, 1, 33)::bytea = <hash p>::bytea::bytea',
  "SELECT * FROM v WHERE email IN ('p', $1) AND email <> ALL (ARRAY['q']) AND email IS NOT DISTINCT FROM 'r'":
    'SELECT * FROM v WHERE substr(email, 1, 33) IN (<hash p>::bytea, $1) AND substr(email, 1, 33) <> ALL (ARRAY[<hash q>::bytea]) AND substr(email, 1, 33) IS NOT DISTINCT FROM <hash r>::bytea',
  "SELECT * FROM v WHERE (id, email) = (1, 'p')":
    'SELECT * FROM v WHERE (id, substr(email, 1, 33)) = (1, <hash p>::bytea)',
  "SELECT d.e FROM (SELECT email AS e FROM v) d WHERE d.e = 'p'":
    'SELECT d.e FROM (SELECT email AS e FROM v) d WHERE substr(d.e, 1, 33) = <hash p>::bytea',
  "SELECT * FROM v AS x (a, b) WHERE b = 'p'": 'SELECT * FROM v AS x (a, b) WHERE substr(b, 1, 33) = <hash p>::bytea',
  "SELECT * FROM (v JOIN o ON v.id = o.id) AS j WHERE j.email = 'p'":
    'SELECT * FROM (v JOIN o ON v.id = o.id) AS j WHERE substr(j.email, 1, 33) = <hash p>::bytea',
  "SELECT count(email) FILTER (WHERE email = 'p') FROM v":
    'SELECT count(email) FILTER (WHERE substr(email, 1, 33) = <hash p>::bytea) FROM v',
  'SELECT email::varchar FROM v': 'SELECT email::bytea FROM v',
  "CREATE TABLE x AS SELECT id FROM v WHERE email = 'p'":
    'CREATE TABLE x AS SELECT id FROM v WHERE substr(email, 1, 33) = <hash p>::bytea',
  "COPY (SELECT id FROM v WHERE email = 'p') TO STDOUT":
    'COPY (SELECT id FROM v WHERE substr(email, 1, 33) = <hash p>::bytea) TO STDOUT',
  "DECLARE c CURSOR FOR SELECT email FROM v WHERE email = 'p'":
    'DECLARE c CURSOR FOR SELECT email FROM v WHERE substr(email, 1, 33) = <hash p>::bytea',
  'PREPARE p (int, text) AS UPDATE v SET secret = $2 WHERE id = $1':
    'PREPARE p (int, bytea) AS UPDATE v SET secret = $2 WHERE id = $1',
  'PREPARE p (text[]) AS SELECT id FROM v WHERE email = ANY ($1)':
    'PREPARE p (bytea[]) AS SELECT id FROM v WHERE substr(email, 1, 33) = ANY ($1)',
  'PREPARE p (int[], varchar[]) AS INSERT INTO v (id, secret) SELECT * FROM unnest($1::int[], $2::varchar[])':
    'PREPARE p (int[], bytea[]) AS INSERT INTO v (id, secret) SELECT * FROM unnest($1::int[], $2::bytea[])',
  "PREPARE p AS UPDATE v SET secret = $1; PREPARE q (text[]) AS SELECT FROM v WHERE email = ANY ($1) AND name = $2; EXECUTE p('p'); EXECUTE q(ARRAY['a', 'b'], 'n'); EXPLAIN EXECUTE q('{c}', 'n')":
    "PREPARE p AS UPDATE v SET secret = $1; PREPARE q (bytea[]) AS SELECT FROM v WHERE substr(email, 1, 33) = ANY ($1) AND name = $2; EXECUTE p(<p>::bytea); EXECUTE q(ARRAY[<hash a>::bytea, <hash b>::bytea], 'n'); EXPLAIN EXECUTE q(<{c}>::bytea[], 'n')",
  'INSERT INTO v (id, secret) VALUES ($1, $1)': 'INSERT INTO v (id, secret) VALUES ($1, $+1)',
  'UPDATE v SET email = $1 WHERE email = $1 OR email = $1':
    'UPDATE v SET email = $1 WHERE substr(email, 1, 33) = $+1 OR substr(email, 1, 33) = $+1',
  'SELECT * FROM v WHERE email = ANY($1::text[])': 'SELECT * FROM v WHERE substr(email, 1, 33) = ANY($1::bytea[])',
  "INSERT INTO v (id, secret) SELECT * FROM UNNEST((ARRAY[1, 2])::integer[], (ARRAY['p', 'q'])::text[])":
    'INSERT INTO v (id, secret) SELECT * FROM UNNEST((ARRAY[1, 2])::integer[], (ARRAY[<p>::bytea, <q>::bytea])::bytea[])',
  "INSERT INTO v (id, secret) SELECT * FROM UNNEST(('{1,2}')::integer[], ('{p,q}')::text[])":
    "INSERT INTO v (id, secret) SELECT * FROM UNNEST(('{1,2}')::integer[], (<{p,q}>::bytea[])::bytea[])",
  "SELECT * FROM v WHERE email = ANY('{p}')": 'SELECT * FROM v WHERE substr(email, 1, 33) = ANY(<{p}>::bytea[])',
  "WITH x AS (SELECT 'p' AS a) INSERT INTO v (secret) SELECT a FROM x":
    'WITH x AS (SELECT <p>::bytea AS a) INSERT INTO v (secret) SELECT a FROM x',
  "WITH x (i, s) AS (VALUES (1, 'p'), (2, NULL)) INSERT INTO v (id, secret) SELECT i, s FROM x WHERE s IS NOT NULL":
    'WITH x (i, s) AS (VALUES (1, <p>::bytea), (2, NULL::bytea)) INSERT INTO v (id, secret) SELECT i, s FROM x WHERE s IS NOT NULL',
  "UPDATE v SET secret = x.s FROM (VALUES (1, 'p'), (2, $1::text)) AS x (id, s) WHERE v.id = x.id":
    'UPDATE v SET secret = x.s FROM (VALUES (1, <p>::bytea), (2, $1::bytea)) AS x (id, s) WHERE v.id = x.id',
  'INSERT INTO v (id, secret) SELECT i, s FROM (SELECT u.i, u.s AS s FROM unnest($1::int[], $2::text[]) AS u (i, s)) d':
    'INSERT INTO v (id, secret) SELECT i, s FROM (SELECT u.i, u.s AS s FROM unnest($1::int[], $2::bytea[]) AS u (i, s)) d',
  'MERGE INTO v USING (VALUES ($1, $2)) AS x (e, n) ON v.email = x.e WHEN MATCHED THEN UPDATE SET name = x.n WHEN NOT MATCHED THEN INSERT (email, name) VALUES (x.e, x.n)':
    'MERGE INTO v USING (VALUES ($1, $2)) AS x (e, n) ON substr(v.email, 1, 33) = substr(x.e, 1, 33) WHEN MATCHED THEN UPDATE SET name = x.n WHEN NOT MATCHED THEN INSERT (email, name) VALUES (x.e, x.n)',
  "SELECT x.e FROM unnest($1::text[]) AS x (e) LEFT JOIN v ON v.email = x.e AND x.e::text <> 'p'":
    'SELECT x.e FROM unnest($1::bytea[]) AS x (e) LEFT JOIN v ON substr(v.email, 1, 33) = substr(x.e, 1, 33) AND substr(x.e, 1, 33)::bytea <> <hash p>::bytea',
  'UPDATE v SET secret = u.s FROM unnest($1::int[], $2::text[]) AS u (i, s) WHERE v.id = u.i':
    'UPDATE v SET secret = u.s FROM unnest($1::int[], $2::bytea[]) AS u (i, s) WHERE v.id = u.i',
};

const UNTOUCHED = [
  'ALTER TABLE v ALTER secret SET DEFAULT NULL, ALTER secret DROP DEFAULT, ALTER secret TYPE bytea',
  "ALTER TABLE v ADD COLUMN note text DEFAULT 'x'",
  'CREATE TABLE v (id int DEFAULT 3, email bytea, secret bytea NOT NULL, blob bytea)',
  'SELECT * FROM v WHERE email IS NULL AND id = 3',
  'INSERT INTO v SELECT * FROM v',
  'INSERT INTO v (secret) SELECT secret FROM v',
  'SELECT coalesce(email, NULL), CASE WHEN id = 1 THEN email END, (SELECT email FROM v LIMIT 1) FROM v',
  'WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT n, email FROM r JOIN v ON v.id = n',
  "SELECT id FROM v WHERE EXISTS (SELECT 1 FROM contacts c WHERE c.email = 'x')",
  'SELECT * FROM generate_series(1, 3) g, LATERAL (SELECT email FROM v WHERE v.id = g) x',
  "SELECT * FROM contacts WHERE email = 'x' ORDER BY email",
  'SELECT row_number() OVER (PARTITION BY id ORDER BY id), email FROM v',
  'SELECT DISTINCT ON (id) email FROM v ORDER BY id',
  'DELETE FROM v WHERE CURRENT OF c',
];

const REFUSED = [
  "ALTER TABLE v ALTER secret SET DEFAULT 'p'",
  "ALTER TABLE v ADD COLUMN secret bytea DEFAULT 'p'",
  "ALTER TABLE v ALTER COLUMN secret TYPE bytea USING 'p'::bytea",
  "CREATE TABLE v (id int, secret bytea DEFAULT 'p')",
  "CREATE TABLE v (id int, secret bytea GENERATED ALWAYS AS ('p'::bytea) STORED)",
  "INSERT INTO v (id, email) VALUES (1, 'p') ON CONFLICT (email) DO NOTHING",
  'INSERT INTO v (secret) SELECT email FROM v',
  'INSERT INTO v TABLE other',
  "INSERT INTO v (secret) SELECT 'p' UNION SELECT 'q'",
  "INSERT INTO v VALUES (1, 'p', 'p', 'p', 'one too many')",
  'INSERT INTO other SELECT email FROM v',
  'INSERT INTO other SELECT * FROM v',
  "INSERT INTO v (secret) VALUES (upper('p'))",
  "INSERT INTO v (secret) VALUES ('p' || 'q')",
  'INSERT INTO v (secret) VALUES (\'p\' COLLATE "C")',
  "INSERT INTO v (secret) VALUES (X'ab')",
  'INSERT INTO v (secret) VALUES (true)',
  "INSERT INTO v (email) VALUES ('p'::varchar(3))",
  "INSERT INTO v (secret[1]) VALUES ('p')",
  "UPDATE v SET secret = secret || 'p'",
  'UPDATE v SET name = email',
  'UPDATE v SET (id, secret) = (SELECT id, x FROM o)',
  'UPDATE v SET (id, secret) = some_row()',
  'MERGE INTO v USING o ON v.id = o.id WHEN MATCHED THEN UPDATE SET secret = o.x',
  'INSERT INTO v (email, secret) SELECT s, s FROM unnest($1::text[]) s',
  'INSERT INTO v (name, secret) SELECT s, s FROM unnest($1::text[]) s',
  "INSERT INTO v (secret) SELECT s FROM unnest($1::text[]) s WHERE s <> 'p'",
  'INSERT INTO v (id, secret) SELECT * FROM unnest($1::int[], $2::mytype[])',
  "INSERT INTO v (secret) SELECT s FROM (SELECT * FROM unnest($1::text[]) AS u (s) UNION ALL SELECT 'p') d",
  'INSERT INTO v (secret) SELECT s FROM (SELECT DISTINCT * FROM unnest($1::text[]) AS u (s)) d',
  'INSERT INTO v (secret) SELECT u.s FROM unnest($1::text[]) AS u (s) JOIN o USING (s)',
  'INSERT INTO v (secret) SELECT u.s FROM unnest($1::text[]) AS u (s) NATURAL JOIN o',
  'INSERT INTO v (secret, name) SELECT u.s, u.s FROM unnest($1::text[]) AS u (s)',
  "INSERT INTO v (secret) SELECT x.s FROM (VALUES ('p'), ('q')) AS x (s) ORDER BY x.s",
  "INSERT INTO v (secret) SELECT s FROM (SELECT * FROM (VALUES ('p'), ('q')) AS x (s) ORDER BY 1 LIMIT 1) d",
  "INSERT INTO v (name, secret) SELECT x.s, x.s FROM (VALUES ('p')) AS x (s)",
  "INSERT INTO v (secret) SELECT x.s FROM (VALUES ('p'), (upper('q'))) AS x (s)",
  "INSERT INTO v (secret) SELECT x.s FROM (VALUES ('p'), ('q')) AS x (s) GROUP BY x.s",
  "INSERT INTO v (secret) SELECT x.s FROM (VALUES ('p')) AS x (s) WHERE x IS NOT NULL",
  "UPDATE v SET secret = x.s, name = x.s FROM (VALUES (1, 'p')) AS x (id, s) WHERE v.id = x.id",
  "UPDATE v SET name = (SELECT x.e) FROM (VALUES ('p')) AS x (e) WHERE v.email = x.e",
  "UPDATE v SET (name, secret) = (SELECT email, 'p' FROM v)",
  "WITH RECURSIVE x (s) AS (VALUES ('p') UNION ALL SELECT s FROM x) INSERT INTO v (secret) SELECT s FROM x",
  "SELECT x.e FROM (VALUES ('p')) AS x (e) JOIN v ON v.secret = x.e",
  'INSERT INTO v (secret) SELECT unnest($1)',
  "SELECT * FROM v WHERE secret = 'p'",
  "SELECT * FROM v WHERE email LIKE 'p%'",
  "SELECT * FROM v WHERE email > 'p'",
  "SELECT * FROM v WHERE email OPERATOR(public.=) 'p'",
  "SELECT * FROM v WHERE lower(email) = 'p'",
  "SELECT * FROM v WHERE email = upper('p')",
  'SELECT * FROM o WHERE o.mail IN (SELECT email FROM v)',
  "SELECT id FROM v WHERE EXISTS (SELECT 1 FROM contacts WHERE email = 'p')",
  'SELECT email FROM v UNION SELECT email FROM v',
  'SELECT email FROM v UNION ALL SELECT name FROM o',
  'SELECT DISTINCT email FROM v',
  'SELECT email FROM v ORDER BY 1',
  'SELECT email AS x FROM v ORDER BY x',
  'SELECT email, count(*) FROM v GROUP BY email',
  'SELECT 1 AS email, count(*) FROM v GROUP BY email',
  'SELECT o.*, v.email FROM o, v ORDER BY 3',
  "SELECT 1 AS s, count(*) FROM (VALUES ('p'), ('q')) AS x (s) JOIN v ON v.email = x.s GROUP BY s",
  'SELECT count(DISTINCT email) FROM v',
  'SELECT max(email), string_agg(secret, $$,$$) FROM v',
  'SELECT row_number() OVER (ORDER BY email) FROM v',
  'SELECT a.id FROM v a JOIN v b USING (email)',
  'SELECT * FROM v NATURAL JOIN o',
  'SELECT v FROM v',
  'SELECT row_to_json(v) FROM v',
  'SELECT (v).email FROM v',
  'SELECT count(v.*) FROM v',
  'SELECT email::int FROM v',
  'SELECT length(secret) FROM v',
  'WITH RECURSIVE r AS (SELECT email FROM v UNION ALL SELECT email FROM r) SELECT * FROM r',
  "SELECT 'p' AS secret INTO v",
  "CREATE TABLE v AS SELECT 'p' AS secret",
  'CREATE TABLE x AS SELECT secret FROM v',
  'PREPARE p (int) AS UPDATE v SET secret = $1',
  'PREPARE p AS INSERT INTO v (id, secret) VALUES ($1, $1)',
  "PREPARE p AS INSERT INTO v (secret) VALUES ($1); EXECUTE p(upper('p'))",
  'PREPARE p (text) AS SELECT id FROM v WHERE email = ANY ($1)',
  'PREPARE p (text[]) AS SELECT id FROM v WHERE email = $1',
];

for (const [sql, expected] of Object.entries(REWRITTEN)) {
  t.test(`protects: ${sql}`, async (t) => t.equal(rewritten(sql), expected));
}

for (const sql of UNTOUCHED) {
  t.test(`keeps untouched: ${sql}`, async (t) =>
    t.match(planOf(sql), { edits: [], parameters: new Map(), copies: [] }),
  );
}

for (const sql of REFUSED) {
  t.test(`rejects (0A000): ${sql}`, async (t) => t.match(judged(sql), { kind: 'refused', sqlState: '0A000' }));
}

for (const sql of [
  "INSERT INTO v (id, secret) SELECT 1, CASE WHEN email = 'p' THEN 'q' END",
  "SELECT 1 WHERE v.email = 'p'",
  "SELECT * FROM v WHERE w.email = 'p'",
  "INSERT INTO v (id) VALUES ((SELECT 1 WHERE email = 'p'))",
]) {
  t.test(`rejects a name that is nowhere (42703): ${sql}`, async (t) =>
    t.match(judged(sql), { kind: 'refused', sqlState: '42703' }),
  );
}

const RESULTS: Readonly<Record<string, readonly string[]>> = {
  'SELECT * FROM v': ['- email secret blob'],
  'SELECT x.*, 1 FROM o x': ['* -'],
  'SELECT a.email AS x, b.secret FROM v a, v b': ['email secret'],
  'SELECT * FROM v JOIN o USING (id)': ['- email secret blob *'],
  'WITH d AS (SELECT * FROM v) SELECT secret, id FROM d': ['secret -'],
  'UPDATE v SET id = 1 FROM o RETURNING old.secret, new.email, o.x': ['secret email -'],
  'MERGE INTO v USING o ON v.id = o.id WHEN MATCHED THEN DELETE RETURNING *': ['* - email secret blob'],
  'BEGIN; SELECT email FROM v; SELECT id, secret FROM v; COMMIT': ['', 'email', '- secret', ''],
  'EXPLAIN SELECT email FROM v': [''],
};

for (const [sql, expected] of Object.entries(RESULTS)) {
  t.test(`knows the rows of each statement: ${sql}`, async (t) => {
    const shown = planOf(sql).results.map((outputs) =>
      outputs
        .map((output) => (typeof output === 'object' ? output.column.name : output === 'unprotected' ? '-' : '*'))
        .join(' '),
    );
    t.same(shown, expected);
  });
}

t.test('says what each parameter is for, and which have a second use', async (t) => {
  const { parameters, copies } = planOf(
    'UPDATE v SET secret = $2, email = $1 WHERE email = $1 AND id = $3 AND name = $2',
  );
  t.same([...parameters], [[1, { column: column('email'), role: 'store' }]]);
  t.same(copies, [
    { of: 2, use: { column: column('secret'), role: 'store' } },
    { of: 1, use: { column: column('email'), role: 'search' } },
  ]);
});

t.test('gives the values of EXECUTE to what was prepared, and none to what nobody saw being prepared', async (t) => {
  const [effect] = planOf('PREPARE p AS UPDATE v SET secret = $2 WHERE id = $1 RETURNING email').effects;
  const prepared = new Map(effect?.does === 'prepare' ? [['p', effect.prepared]] : []);
  t.equal(rewritten("EXECUTE p(3, 'x')", prepared), 'EXECUTE p(3, <x>::bytea)');
  t.same(planOf("EXECUTE p(3, 'x')", prepared).results, [
    [{ column: column('email'), name: 'email', isReference: true }],
  ]);
  t.same(planOf("EXECUTE p(3, 'x')").executes, ['p'], 'which it is must be known first');
  t.match(judged("EXECUTE other('x')", prepared), { kind: 'refused', sqlState: '0A000' });
  t.match(judged('EXECUTE other', prepared), { kind: 'passes' });
  t.match(judged("EXECUTE p(3, upper('x'))", prepared), { kind: 'refused', sqlState: '0A000' });
});

t.test('gives no value of EXECUTE to a parameter that has a second use, which only Bind can copy', async (t) => {
  const { parameters, copies } = planOf('INSERT INTO v (name, secret) VALUES ($1, $1)');
  t.same([parameters.size, copies.length], [0, 1]);
  const prepared = new Map([['p', planOf('INSERT INTO v (name, secret) VALUES ($1, $1)')]]);
  t.match(judged("EXECUTE p('x')", prepared), { kind: 'refused', sqlState: '0A000' });
});

t.test('keeps values out of what it says', async (t) => {
  for (const sql of REFUSED) {
    const verdict = judged(sql.replaceAll("'p'", "'plaintext'"));
    t.notMatch(verdict.kind === 'refused' ? verdict.reason : '', /plaintext/, sql);
  }
});
