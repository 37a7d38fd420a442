/** What becomes of a statement, decided without a key or cipher: the plan is shown with the literals that it would encrypt. */
import t from 'tap';
import { judge } from '../../../acra/statements/judge.ts';
import { loadParser, parseText } from '../../../acra/statements/parser.ts';
import type { Plan } from '../../../acra/statements/plan.ts';
import { ANY_RELATION } from '../../../acra/statements/policy.ts';
import { sqlStateOf } from '../../emulator/acra-server/support/sql-state.ts';
import { column, tables } from '../../emulator/acra-server/support/vector-cipher.ts';
import { shownText } from './support/shown-text.ts';

const parser = await loadParser();
const judged = (sql: string) => judge({ tables, reader: 'acra-server', policy: ANY_RELATION }, parseText(parser, sql));

function planOf(sql: string): Plan {
  const verdict = judged(sql);
  if (verdict.kind === 'refused') throw new Error(`${verdict.sqlState} ${verdict.reason}`);
  return verdict.plan;
}

const rewritten = (sql: string) => shownText(sql, planOf(sql));

const REWRITTEN: readonly (readonly [string, string])[] = [
  [`INSERT INTO v VALUES (1, 'x', 'y', '\\x00')`, `INSERT INTO v VALUES (1, <x>, <y>, <\\x00>)`],
  [`insert into v (secret, id) values ('y', 1), ('z', 2)`, `insert into v (secret, id) values (<y>, 1), (<z>, 2)`],
  [
    `INSERT INTO public.v (id, "secret") VALUES (1, 'y') RETURNING *`,
    `INSERT INTO public.v (id, "secret") VALUES (1, <y>) RETURNING *`,
  ],
  [`INSERT INTO V (ID, SECRET) VALUES (1, 'y')`, `INSERT INTO V (ID, SECRET) VALUES (1, <y>)`],
  [`INSERT INTO v (secret) VALUES (E'tab\\t\\'q\\'')`, `INSERT INTO v (secret) VALUES (<tab\t'q'>)`],
  [`INSERT INTO v (secret) VALUES ('it''s')`, `INSERT INTO v (secret) VALUES (<it's>)`],
  [`INSERT INTO v (secret) VALUES ('\\x4142')`, `INSERT INTO v (secret) VALUES (<\\x4142>)`],
  [
    `INSERT INTO v (blob) VALUES ('\\x4142'), ('a\\\\b\\101')`,
    `INSERT INTO v (blob) VALUES (<\\x4142>), (<a\\\\b\\101>)`,
  ],
  [`INSERT INTO v (secret) VALUES (42), (-7), (- 8)`, `INSERT INTO v (secret) VALUES (<42>), (<-7>), (<-8>)`],
  [
    `INSERT INTO v (secret) VALUES ('y'::bytea), (NULL), (DEFAULT), ('')`,
    `INSERT INTO v (secret) VALUES (<y>::bytea), (NULL), (DEFAULT), (<>)`,
  ],
  [
    `/* é */ INSERT INTO v (id, secret) /*'*/ VALUES (1, /* $1 */ 'ü — 漢字 🙂') -- é`,
    `/* é */ INSERT INTO v (id, secret) /*'*/ VALUES (1, /* $1 */ <ü — 漢字 🙂>) -- é`,
  ],
  [
    `INSERT INTO v (id, secret) VALUES ($1, $2), ($3, $4::bytea)`,
    `INSERT INTO v (id, secret) VALUES ($1, $2), ($3, $4::bytea)`,
  ],
  [
    `UPDATE v SET secret = 'y', id = id + 1 WHERE email = 'x' AND id > 3`,
    `UPDATE v SET secret = <y>, id = id + 1 WHERE substr(email, 1, 33) = <hash x> AND id > 3`,
  ],
  [
    `UPDATE v AS a SET email='x' FROM b WHERE a.id=b.id RETURNING a.email`,
    `UPDATE v AS a SET email=<x> FROM b WHERE a.id=b.id RETURNING a.email`,
  ],
  [`UPDATE v SET secret=DEFAULT`, `UPDATE v SET secret=DEFAULT`],
  [`SELECT * FROM v WHERE email='zoë'`, `SELECT * FROM v WHERE substr(email, 1, 33)=<hash zoë>`],
  [
    `SELECT * FROM v WHERE email = 'it''s' OR v.email <> 7`,
    `SELECT * FROM v WHERE substr(email, 1, 33) = <hash it's> OR substr(v.email, 1, 33) <> <hash 7>`,
  ],
  [`SELECT * FROM v x WHERE NOT x . email = $1`, `SELECT * FROM v x WHERE NOT substr(x . email, 1, 33) = $1`],
  [
    `SELECT * FROM public.v WHERE public.v.email = $1::bytea`,
    `SELECT * FROM public.v WHERE substr(public.v.email, 1, 33) = $1::bytea`,
  ],
  [`SELECT * FROM v WHERE email = ''`, `SELECT * FROM v WHERE substr(email, 1, 33) = <hash >`],
  [
    `SELECT a.id FROM v a JOIN v b ON a.email = b.email WHERE b.email = 'x'`,
    `SELECT a.id FROM v a JOIN v b ON substr(a.email, 1, 33) = substr(b.email, 1, 33) WHERE substr(b.email, 1, 33) = <hash x>`,
  ],
  [`DELETE FROM v WHERE v.email = 'x' AND id = 3`, `DELETE FROM v WHERE substr(v.email, 1, 33) = <hash x> AND id = 3`],
  [
    `select id from v left join contacts c on c.id = v.id where c.email = 'x' and v.email = 'y'`,
    `select id from v left join contacts c on c.id = v.id where c.email = 'x' and substr(v.email, 1, 33) = <hash y>`,
  ],
];

const UNTOUCHED = [
  '',
  ';',
  '-- only a comment',
  'BEGIN',
  'COMMIT',
  `SET search_path = 'x'`,
  'SHOW server_version',
  'SELECT 1',
  `SELECT 'x', $1::text, $$it's$$, E'\\n'`,
  `SELECT * FROM v WHERE id = 1 AND name = 'x'`,
  'SELECT email, secret FROM v ORDER BY id LIMIT 1',
  'SELECT * FROM v WHERE email IS NULL AND secret IS NOT NULL',
  'SELECT * FROM v WHERE length(secret) > 100 AND octet_length(blob) = $1',
  'SELECT a.id FROM v a JOIN v b ON a.secret = b.secret',
  `SELECT secret || '\\x00'::bytea, coalesce(secret, 'none') FROM v`,
  `SELECT * FROM contacts WHERE email = 'x' OR email LIKE 'x%' OR email IN ('a')`,
  `SELECT id FROM v WHERE id IN (SELECT v_id FROM contacts c WHERE c.email = 'x')`,
  `SELECT * FROM v; SELECT * FROM v WHERE id = 2`,
  'TABLE v',
  `INSERT INTO other (email, secret) VALUES ('a', 'b') ON CONFLICT DO NOTHING`,
  `INSERT INTO v (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 2`,
  `INSERT INTO v (id) SELECT 1`,
  'INSERT INTO v DEFAULT VALUES',
  `WITH x AS (SELECT 1) UPDATE v SET id = 2`,
  `UPDATE v SET (id, name) = (1, 'x')`,
  'UPDATE ONLY v SET id = 2',
  'DELETE FROM v WHERE id = 1',
  'TRUNCATE v',
  'COPY v TO STDOUT',
  'COPY other FROM STDIN',
  'COPY (SELECT * FROM v) TO STDOUT',
  `DO $$ BEGIN CREATE TYPE colour AS ENUM ('red'); EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
  'CREATE TABLE v (id int, email bytea, secret bytea, blob bytea)',
  'ALTER TABLE v ADD COLUMN other text',
  'CREATE INDEX ON v (substr(email, 1, 33))',
  'EXPLAIN SELECT * FROM v',
  'PREPARE p AS SELECT * FROM v WHERE id = $1',
  'EXECUTE p(1)',
  `MERGE INTO other USING v ON other.id = v.id WHEN MATCHED THEN UPDATE SET secret = 'x'`,
  'DECLARE c CURSOR FOR SELECT * FROM v',
  'LISTEN x',
];

const REFUSED = [
  // The statement is not one that acra-server encrypts (acra-server contract 0.2, 10.1).
  `INSERT INTO v (id, secret) VALUES (1, 'p') ON CONFLICT DO NOTHING`,
  `INSERT INTO v (id, secret) VALUES (1, 'p') ON CONFLICT (id) DO UPDATE SET secret = excluded.secret`,
  `INSERT INTO v (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET secret = 'p'`,
  `WITH x AS (INSERT INTO v (secret) VALUES ('p') RETURNING id) SELECT * FROM x`,
  `WITH x AS (SELECT 1) INSERT INTO v (secret) VALUES ('p')`,
  `WITH x AS (SELECT 1) UPDATE v SET secret = 'p'`,
  `SELECT 1; INSERT INTO v (secret) VALUES ('p')`,
  `INSERT INTO v (secret) VALUES ('p'); INSERT INTO v (secret) VALUES ('q')`,
  `INSERT INTO v (secret) SELECT 'p'`,
  `INSERT INTO v (secret) SELECT secret FROM v`,
  `INSERT INTO v SELECT 1, 'p', 'p', 'p'`,
  `INSERT INTO v TABLE other`,
  `INSERT INTO v AS a (secret) VALUES ('p')`,
  `INSERT INTO v (id, secret) OVERRIDING SYSTEM VALUE VALUES (1, 'p')`,
  `INSERT INTO v (secret) VALUES ('p') LIMIT 1`,
  `INSERT INTO v (secret) VALUES ((SELECT 'p'))`,
  `INSERT INTO v (secret[1]) VALUES ('p')`,
  `INSERT INTO v VALUES (1, 'p', 'p', 'p', 'one too many')`,
  `UPDATE v SET (id, secret) = (1, 'p')`,
  `UPDATE v SET (id, secret) = (SELECT 1, 'p')`,
  `UPDATE ONLY v SET secret = 'p'`,
  `UPDATE v SET secret = email`,
  `UPDATE v SET secret = secret || 'p'`,
  `UPDATE v SET secret = 'p' WHERE id = ANY(ARRAY[1, 2])`,
  `UPDATE v SET secret = 'p' WHERE id::text = '1'`,
  `UPDATE v SET secret = CASE WHEN id = 1 THEN 'p' END`,
  `MERGE INTO v USING o ON v.id = o.id WHEN NOT MATCHED THEN INSERT VALUES (1, 'p', 'p', 'p')`,
  `MERGE INTO v USING o ON v.id = o.id WHEN MATCHED THEN UPDATE SET secret = 'p'`,
  `COPY v FROM STDIN`,
  `COPY public.v (secret) FROM STDIN`,
  `COPY (INSERT INTO v (secret) VALUES ('p') RETURNING id) TO STDOUT`,
  `EXPLAIN ANALYZE INSERT INTO v (secret) VALUES ('p')`,
  `PREPARE p AS INSERT INTO v (secret) VALUES ($1)`,
  `SELECT 'p' AS secret INTO v`,
  `CREATE TABLE v AS SELECT 'p' AS secret`,
  `CREATE RULE r AS ON INSERT TO o DO ALSO INSERT INTO v (secret) VALUES ('p')`,
  `DO $$ BEGIN INSERT INTO v (secret) VALUES ('p'); END $$`,
  `CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'update V set secret = ''p'''`,
  `CREATE FUNCTION f() RETURNS void LANGUAGE sql BEGIN ATOMIC INSERT INTO v (secret) VALUES ('p'); END`,
  // The value is not one that acra-server encrypts.
  `INSERT INTO v (secret) VALUES (convert_to('p', 'UTF8'))`,
  `INSERT INTO v (secret) VALUES (upper('p'))`,
  `INSERT INTO v (secret) VALUES ('p' || 'q')`,
  `INSERT INTO v (secret) VALUES ($$p$$)`,
  `INSERT INTO v (secret) VALUES (U&'p')`,
  `INSERT INTO v (secret) VALUES ('p'\n 'q')`,
  `INSERT INTO v (secret) VALUES (E'p'\n 'q')`,
  `INSERT INTO v (secret) VALUES (1.5)`,
  `INSERT INTO v (secret) VALUES (0x1F)`,
  `INSERT INTO v (secret) VALUES (N'p')`,
  `INSERT INTO v (secret) VALUES (X'ab')`,
  `INSERT INTO v (secret) VALUES (true)`,
  `INSERT INTO v (secret) VALUES ('p'::text)`,
  `INSERT INTO v (secret) VALUES (text 'p')`,
  `INSERT INTO v (secret) VALUES (cast('p' AS bytea))`,
  `INSERT INTO v (secret) VALUES (cast($1 AS text))`,
  `INSERT INTO v (secret) VALUES ($1::varchar)`,
  `INSERT INTO v (secret) VALUES ('p' COLLATE "C")`,
  // One parameter cannot be ciphertext in one place and plaintext in another.
  `INSERT INTO v (id, secret) VALUES ($1, $1)`,
  `INSERT INTO v (email, secret) VALUES ($1, $1)`,
  `UPDATE v SET email = $1 WHERE email = $1`,
  `SELECT * FROM v WHERE email = $1 OR name = $1`,
  // Comparisons that Acra cannot do would send the value in plaintext (acra-server contract 10.7).
  `SELECT * FROM v WHERE secret = 'p'`,
  `SELECT * FROM v WHERE secret = $1`,
  `SELECT * FROM v WHERE 'p' = email`,
  `SELECT * FROM v WHERE (email) = 'p'`,
  `SELECT * FROM v WHERE email = ('p')`,
  `DELETE FROM v USING o WHERE v.email = 'p' AND o.id = v.id`,
  `SELECT * FROM v WHERE email IN ('p', 'q')`,
  `SELECT * FROM v WHERE email = ANY($1)`,
  `SELECT * FROM v WHERE email LIKE 'p%'`,
  `SELECT * FROM v WHERE email > 'p'`,
  `SELECT * FROM v WHERE email BETWEEN 'p' AND 'q'`,
  `SELECT * FROM v WHERE email IS NOT DISTINCT FROM 'p'`,
  `SELECT * FROM v WHERE lower(email) = 'p'`,
  `SELECT * FROM v WHERE email::text = 'p'`,
  `SELECT * FROM v WHERE email = 'p'::text`,
  `SELECT * FROM v WHERE email = upper('p')`,
  `SELECT * FROM v WHERE (id, email) = (1, 'p')`,
  `SELECT email = 'p' FROM (SELECT * FROM v) d`,
  `SELECT * FROM (SELECT email FROM v) d WHERE d.email = 'p'`,
  `SELECT * FROM o WHERE EXISTS (SELECT 1 FROM v WHERE v.email = 'p')`,
  `WITH d AS (SELECT * FROM v WHERE email = 'p') SELECT * FROM d`,
  `SELECT * FROM v WHERE email = 'p' UNION SELECT * FROM v WHERE email = 'q'`,
  `SELECT * FROM v WHERE email = 'p'; SELECT 1`,
  `SELECT * FROM v AS x(a, b, c, d) WHERE b = 'p'`,
  `EXPLAIN SELECT * FROM v WHERE email = 'p'`,
  `PREPARE p AS SELECT * FROM v WHERE email = $1`,
  `MERGE INTO o USING v ON v.email = 'p' WHEN MATCHED THEN DELETE`,
];

for (const [sql, expected] of REWRITTEN) {
  t.test(`encrypts: ${sql}`, async (t) => t.equal(rewritten(sql), expected));
}

for (const sql of UNTOUCHED) {
  t.test(`keeps untouched: ${sql}`, async (t) => t.match(planOf(sql), { edits: [], parameters: new Map() }));
}

for (const sql of REFUSED) {
  t.test(`rejects (42000): ${sql}`, async (t) => t.match(judged(sql), { kind: 'refused', sqlState: '42000' }));
}

t.test('rejects what PostgreSQL itself could not read', async (t) => {
  const stateOf = (sql: string) => sqlStateOf(() => judged(sql));
  t.equal(stateOf('SELEC 1'), '42601');
  t.equal(stateOf(`SELECT 'unterminated`), '42601');
  t.equal(stateOf(`SELECT ${'('.repeat(50_000)}1`), '54001', "nested deeper than bison's own stack");
  t.equal(stateOf('SELECT 1'), undefined);
});

t.test('keeps what stands in a faulty statement out of the message, which the database gets', async (t) => {
  const error = await Promise.try(() => judged(`INSERT INTO v (secret) VALUES ('p' 'plaintext')`)).catch(
    (reason) => reason,
  );
  t.match(error, { sqlState: '42601', message: 'syntax error at character 36' });
});

t.test('rejects a tree that is deeper than we walk (54001)', async (t) => {
  t.match(judged(`SELECT ${'1 + '.repeat(3000)}1`), { kind: 'refused', sqlState: '54001' });
  t.match(judged(`SELECT ${'1 + '.repeat(300)}1`), { kind: 'passes' });
});

t.test('says what each parameter is for', async (t) => {
  t.same(
    [...planOf('UPDATE v SET secret = $2 WHERE email = $1 AND id = $3').parameters],
    [
      [2, { column: column('secret'), role: 'store' }],
      [1, { column: column('email'), role: 'search' }],
    ],
  );
});

t.test('names the prepared statements that are executed', async (t) => {
  t.same(planOf(`EXPLAIN EXECUTE "é"('p')`).executes, ['é']);
});

t.test('gives the same verdict each time, and changes nothing that it is given', async (t) => {
  const before = structuredClone(tables);
  for (const sql of [...REWRITTEN.map(([each]) => each), ...REFUSED]) t.same(judged(sql), judged(sql), sql);
  t.same(tables, before);
});
