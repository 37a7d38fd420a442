/** A type or a function of somebody's own schema is not PostgreSQL's of that name. */
import t from 'tap';
import { kindOf, sentFor } from '../support/verdicts.ts';

const REJECTED: readonly (readonly [sql: string, kind: string])[] = [
  ["INSERT INTO v (secret) VALUES ('x'::other.text)", 'value-hidden'],
  ["INSERT INTO v (secret) VALUES ('x'::other.bytea)", 'value-hidden'],
  ['INSERT INTO v (secret) VALUES (CAST($1 AS public.text))', 'value-hidden'],
  ['INSERT INTO v (secret) VALUES (other.varchar $$x$$)', 'value-hidden'],
  ["SELECT 1 FROM v WHERE email = 'x'::other.text", 'value-hidden'],
  ["SELECT 1 FROM v WHERE email::other.text = 'x'", 'cast'],
  ['SELECT 1 FROM v WHERE email = ANY ($1::other.text[])', 'value-hidden'],
  ["SELECT 1 FROM v WHERE email = ANY (ARRAY['x']::other.text[])", 'value-hidden'],
  ['SELECT email::other.bytea FROM v', 'cast'],
  ['SELECT other.count(email) FROM v', 'function-unlisted'],
  ['SELECT * FROM (SELECT other.count(address) AS n FROM renamed) x WHERE n > 5', 'function-unlisted'],
  ['ALTER TABLE v ADD CHECK (other.get_byte(secret, 0) = 127)', 'function-unlisted'],
  ["ALTER TABLE v ADD CHECK (substring(secret, 1, 3) = '%%%'::other.bytea)", 'expression'],
];

for (const [sql, kind] of REJECTED) {
  t.test(`rejects ${sql}`, async (t) => {
    t.equal(kindOf(sql), kind);
  });
}

t.test('keeps the types of pg_catalog', async (t) => {
  t.equal(
    sentFor("INSERT INTO v (secret) VALUES ('x'::pg_catalog.text), (pg_catalog.varchar 'y')"),
    'INSERT INTO v (secret) VALUES (<x>::bytea::bytea), (bytea <y>::bytea)',
  );
});
