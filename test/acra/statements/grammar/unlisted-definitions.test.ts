/** Definitions about relations that nobody listed, with values in them and without (decision 20). `o` is on the list, `w` is not. */
import t from 'tap';
import { kindOf } from '../support/verdicts.ts';

for (const sql of [
  "CREATE INDEX ON w (id) WHERE name = 'X'",
  "CREATE INDEX ON s.w ((name = 'X'))",
  "ALTER TABLE w ADD CHECK (name <> 'X')",
  "ALTER TABLE w ALTER name SET DEFAULT 'X'",
  "ALTER TABLE w ADD COLUMN note text DEFAULT 'X'",
  "ALTER TABLE w ALTER name TYPE text USING name || 'X'",
  "CREATE POLICY p ON w USING (name = 'X')",
  "ALTER POLICY p ON w WITH CHECK (name = 'X')",
  "CREATE TRIGGER g BEFORE UPDATE ON w FOR EACH ROW WHEN (new.name = 'X') EXECUTE FUNCTION suppress_redundant_updates_trigger()",
  "CREATE STATISTICS st ON (name = 'X'), id FROM w",
  "CREATE PUBLICATION p FOR TABLE w WHERE (name = 'X')",
  "CREATE RULE r AS ON UPDATE TO w WHERE new.name = 'X' DO NOTHING",
  "CREATE FUNCTION f() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM w WHERE name = 'X'; END",
  "CREATE TABLE n (CHECK (name = 'X')) INHERITS (w)",
])
  t.test(`refuses ${sql}`, async (t) => t.equal(kindOf(sql), 'relation-unlisted'));

t.test('refuses a part of a protected table with a value', async (t) => {
  t.equal(kindOf("CREATE TABLE n (CHECK (plain = 'X')) INHERITS (v)"), 'definition');
  t.equal(kindOf('CREATE TABLE n () INHERITS (v)'), 'passes');
});

for (const sql of [
  'CREATE INDEX ON w (id) WHERE name IS NOT NULL',
  'ALTER TABLE w ADD COLUMN note varchar(20)',
  'ALTER TABLE w ALTER name SET NOT NULL',
  'ALTER TABLE w ALTER flag SET DEFAULT true',
  'ALTER TABLE w ATTACH PARTITION n FOR VALUES FROM (1) TO (10)',
  'CREATE TRIGGER g BEFORE UPDATE ON w FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
  "CREATE TABLE n (id int PRIMARY KEY, state text DEFAULT 'new' CHECK (state IN ('new', 'old')))",
  "CREATE INDEX ON o (id) WHERE name = 'X'",
  "ALTER TABLE o ALTER name SET DEFAULT 'X'",
  "COMMENT ON TABLE w IS 'X'",
])
  t.test(`keeps ${sql}`, async (t) => t.equal(kindOf(sql), 'passes'));
