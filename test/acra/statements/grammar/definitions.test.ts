/** Definitions about protected tables: what may be defined, as what, and what would work on ciphertext or store plaintext. */
import t from 'tap';
import { judge } from '../../../../acra/statements/judge.ts';
import { loadParser, parseText } from '../../../../acra/statements/parser.ts';
import { ANY_RELATION, type Policy } from '../../../../acra/statements/policy.ts';
import { tables } from '../../../emulator/acra-server/support/vector-cipher.ts';
import { shownText } from '../support/shown-text.ts';

const parser = await loadParser();
const LISTED: Policy = {
  relations: 'listed',
  list: { relations: ['orders'], functions: ['touch'], uniqueSearches: [] },
};

function ending(sql: string, policy: Policy = ANY_RELATION): string {
  const verdict = judge({ tables, reader: 'engine', policy }, parseText(parser, sql));
  return verdict.kind === 'refused' ? verdict.sqlState : shownText(sql, verdict.plan);
}

const BELTS = [
  "get_byte(email, 0) = 127 AND substring(email from 34 for 3) = '\\x252525'",
  "email IS NULL OR substr(secret, 1, 3) = '%%%' OR substring(secret, 1, 8) = '\\x2222222222222222'::bytea",
];

const KEPT = [
  ...BELTS.map((belt) => `CREATE TABLE v (id int PRIMARY KEY, email bytea CHECK (${belt}), secret bytea)`),
  ...BELTS.map((belt) => `ALTER TABLE v ADD CONSTRAINT belt CHECK (${belt})`),
  'CREATE INDEX ON v (substr(email, 1, 33))',
  'CREATE UNIQUE INDEX CONCURRENTLY i ON v (id, substr(email, 1, 33)) INCLUDE (email) WHERE email IS NOT NULL',
  'ALTER TABLE v ADD EXCLUDE USING btree (substr(email, 1, 33) WITH =)',
  'CREATE TABLE w (id int REFERENCES v (id), email text UNIQUE, e text REFERENCES w (email))',
  "ALTER TABLE v ADD COLUMN note text DEFAULT 'x' CHECK (note <> '') UNIQUE",
  'CREATE TRIGGER t AFTER INSERT ON v FOR EACH ROW EXECUTE FUNCTION f()',
  "CREATE TRIGGER t AFTER INSERT ON o FOR EACH ROW WHEN (new.email <> 'x') EXECUTE FUNCTION touch('x')",
  'CREATE VIEW w AS SELECT id, email FROM v',
  'CREATE RULE r AS ON DELETE TO o DO INSTEAD NOTHING',
  "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT ''x'''",
  'CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END',
  'ALTER TABLE v RENAME COLUMN name TO title',
  'CREATE POLICY p ON v USING (id = 3)',
  'CREATE SCHEMA s CREATE TABLE o (id int) CREATE VIEW w AS SELECT id FROM v',
];
for (const sql of KEPT) t.test(`keeps untouched: ${sql}`, async (t) => t.equal(ending(sql), sql));

const HASH = 'substr(email, 1, 33) = <hash p>::bytea';
const REWRITTEN: Readonly<Record<string, string>> = {
  "CREATE VIEW w AS SELECT id FROM v WHERE email = 'p'": `CREATE VIEW w AS SELECT id FROM v WHERE ${HASH}`,
  "CREATE SCHEMA s CREATE VIEW w AS SELECT id FROM v WHERE email = 'p' GRANT SELECT ON w TO PUBLIC": `CREATE SCHEMA s CREATE VIEW w AS SELECT id FROM v WHERE ${HASH} GRANT SELECT ON w TO PUBLIC`,
  "CREATE POLICY p ON v USING (email = 'p') WITH CHECK (email = 'p')": `CREATE POLICY p ON v USING (${HASH}) WITH CHECK (${HASH})`,
  "CREATE INDEX ON v (id) WHERE email = 'p'": `CREATE INDEX ON v (id) WHERE ${HASH}`,
  "ALTER TABLE v ADD CHECK (email = 'p')": `ALTER TABLE v ADD CHECK (${HASH})`,
  "CREATE TRIGGER t BEFORE UPDATE ON v FOR EACH ROW WHEN (old.email IS DISTINCT FROM new.email OR new.email = 'p') EXECUTE FUNCTION f()":
    'CREATE TRIGGER t BEFORE UPDATE ON v FOR EACH ROW WHEN (substr(old.email, 1, 33) IS DISTINCT FROM substr(new.email, 1, 33) OR substr(new.email, 1, 33) = <hash p>::bytea) EXECUTE FUNCTION f()',
};
for (const [sql, expected] of Object.entries(REWRITTEN))
  t.test(`protects: ${sql}`, async (t) => t.equal(ending(sql), expected));

const REFUSED = [
  'CREATE INDEX ON v (email)',
  'CREATE UNIQUE INDEX ON v (id, secret)',
  'CREATE INDEX ON v (lower(email))',
  'CREATE INDEX ON v (substr(secret, 1, 33))',
  'CREATE INDEX ON v (substr(email, 1, 32))',
  "CREATE INDEX ON v (id) WHERE secret = 'p'",
  'CREATE TABLE v (email bytea UNIQUE)',
  'CREATE TABLE v (email bytea PRIMARY KEY)',
  'CREATE TABLE v (email bytea REFERENCES o (id))',
  'CREATE TABLE v (id int, email bytea, UNIQUE (id, email))',
  'CREATE TABLE v (email bytea, FOREIGN KEY (email) REFERENCES o)',
  'CREATE TABLE v (email bytea) PARTITION BY HASH (email)',
  'CREATE TABLE v (email bytea, EXCLUDE USING btree (email WITH =))',
  'CREATE TABLE w (e bytea REFERENCES v (email))',
  'ALTER TABLE v DROP COLUMN id',
  'ALTER TABLE v ADD UNIQUE (email)',
  'ALTER TABLE v ADD COLUMN email bytea UNIQUE',
  'ALTER TABLE w ADD FOREIGN KEY (e) REFERENCES v (email)',
  'CREATE TABLE v (email bytea, upper text GENERATED ALWAYS AS (upper(email)) STORED)',
  'CREATE TABLE v (email bytea, other bytea GENERATED ALWAYS AS (email) STORED)',
  'ALTER TABLE v ALTER name SET EXPRESSION AS (email)',
  'ALTER TABLE v ALTER name TYPE bytea USING email',
  'CREATE TABLE v (email bytea CHECK (length(email) < 9))',
  "CREATE TABLE v (email bytea CHECK (email LIKE 'p%'))",
  "CREATE TABLE v (email bytea CHECK (substring(email, 1, 3) = 'flu'))",
  "CREATE TABLE v (email bytea CHECK (substring(email, 1, 3) = '\\x666c75'))",
  "ALTER TABLE v ADD CHECK (get_byte(email, 0) = 127 AND secret <> 'p')",
  "CREATE FOREIGN TABLE v (email bytea DEFAULT 'p') SERVER s",
  'CREATE VIEW v AS SELECT 1',
  "CREATE VIEW w AS SELECT id FROM v WHERE secret = 'p'",
  'CREATE RULE r AS ON INSERT TO v DO INSTEAD NOTHING',
  'CREATE RULE r AS ON INSERT TO o DO INSTEAD INSERT INTO v (secret) VALUES (new.note)',
  'CREATE RULE r AS ON DELETE TO o DO ALSO SELECT id FROM v',
  "CREATE TRIGGER t BEFORE UPDATE ON v FOR EACH ROW WHEN (new.secret = 'p') EXECUTE FUNCTION f()",
  'CREATE TRIGGER t BEFORE UPDATE ON v FOR EACH ROW WHEN (old.* IS DISTINCT FROM new.*) EXECUTE FUNCTION f()',
  "CREATE FUNCTION f(a text) RETURNS void LANGUAGE sql AS 'INSERT INTO v (secret) VALUES (a::bytea)'",
  "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT id FROM v WHERE email = ''p'''",
  'CREATE PROCEDURE f() LANGUAGE sql BEGIN ATOMIC DELETE FROM v; END',
  'DO $$ BEGIN UPDATE v SET secret = NULL; END $$',
  "CREATE POLICY p ON v USING (secret = 'p')",
  'ALTER POLICY p ON v USING (email = current_user)',
  'ALTER TABLE v RENAME COLUMN email TO mail',
  'ALTER TABLE v RENAME COLUMN name TO secret',
  'ALTER TABLE v RENAME TO w',
  "CREATE SCHEMA s GRANT SELECT ON o TO PUBLIC CREATE TABLE v (secret bytea DEFAULT 'p')",
  "CREATE PUBLICATION p FOR TABLE v WHERE (email = 'p')",
];
for (const sql of REFUSED) t.test(`rejects (0A000): ${sql}`, async (t) => t.equal(ending(sql), '0A000'));

for (const sql of [
  'CREATE VIEW orders AS SELECT id, email AS note FROM v',
  'CREATE TABLE orders () INHERITS (v)',
  'CREATE TABLE orders PARTITION OF v DEFAULT',
  'ALTER TABLE orders INHERIT v',
  'ALTER TABLE v ATTACH PARTITION orders DEFAULT',
]) {
  t.test(`rejects what would make a listed relation one of a protected table (0A000): ${sql}`, async (t) => {
    t.equal(ending(sql, LISTED), '0A000');
    t.equal(ending(sql.replaceAll('orders', 'others'), LISTED), sql.replaceAll('orders', 'others'));
  });
}

t.test('gives the arguments of a trigger to no function that is not listed (42501)', async (t) => {
  const sql = "CREATE TRIGGER t AFTER INSERT ON v FOR EACH ROW EXECUTE FUNCTION touch('x')";
  t.equal(ending(sql, LISTED), sql);
  t.equal(ending(sql.replace('touch', 'save'), LISTED), '42501');
  t.equal(ending(sql.replace("touch('x')", 'save()'), LISTED), sql.replace("touch('x')", 'save()'));
});

t.test('says which index is accepted', async (t) => {
  const verdict = judge(
    { tables, reader: 'engine', policy: ANY_RELATION },
    parseText(parser, 'CREATE INDEX ON v (email)'),
  );
  t.match(verdict, { reason: /use CREATE \[UNIQUE\] INDEX ON … \(substr\(email, 1, 33\)\)$/ });
});
