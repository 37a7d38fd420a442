/** What keeps a column from being encrypted is found before anything is changed, all of it at once. */
import t from 'tap';
import { migratingTables, SEARCHABLE } from './support/migrating.ts';

interface Case {
  readonly what: string;
  /** With PLAIN for `name text`. */
  readonly table?: string;
  readonly more?: string;
  readonly found: readonly RegExp[];
  readonly settings?: string;
}

const TABLE = 'CREATE TABLE patients (id int PRIMARY KEY, name text, ward text)';

const CASES: readonly Case[] = [
  { what: 'nothing', found: [] },
  {
    what: 'no primary key',
    table: 'CREATE TABLE patients (id int, name text, ward text)',
    found: [/^MIGRATION_KEY: there is none/],
  },
  {
    what: 'a key that has the column',
    table: 'CREATE TABLE patients (id int, name text, ward text, PRIMARY KEY (id, name))',
    found: [/^MIGRATION_KEY: the column is in it/],
  },
  {
    what: 'a type that is not the configured one',
    table: 'CREATE TABLE patients (id int PRIMARY KEY, name bigint, ward text)',
    found: [/^MIGRATION_TYPE: bigint, and data_type is str/],
  },
  {
    what: 'a domain',
    table: 'CREATE DOMAIN word AS text; CREATE TABLE patients (id int PRIMARY KEY, name word, ward text)',
    found: [/^MIGRATION_TYPE: word/],
  },
  {
    what: 'an array',
    table: 'CREATE TABLE patients (id int PRIMARY KEY, name text[], ward text)',
    found: [/^MIGRATION_TYPE: text\[\]/],
  },
  {
    what: 'char(n)',
    table: 'CREATE TABLE patients (id int PRIMARY KEY, name char(5), ward text)',
    found: [/^MIGRATION_PADDED/],
  },
  {
    what: 'a default',
    table: "CREATE TABLE patients (id int PRIMARY KEY, name text DEFAULT 'x', ward text)",
    found: [/^MIGRATION_DEFAULT/, /^MIGRATION_DEFAULT/],
  },
  {
    what: 'a generated column',
    table:
      'CREATE TABLE patients (id int PRIMARY KEY, name text, ward text, low text GENERATED ALWAYS AS (lower(name)) STORED)',
    found: [/^MIGRATION_GENERATED_FROM: .*column low/],
  },
  { what: 'a view', more: 'CREATE VIEW names AS SELECT name FROM patients', found: [/^MIGRATION_VIEW: .*names/] },
  {
    what: 'a materialized view',
    more: 'CREATE MATERIALIZED VIEW names AS SELECT name FROM patients',
    found: [/^MIGRATION_VIEW/],
  },
  { what: 'a view of another column', more: 'CREATE VIEW wards AS SELECT ward FROM patients', found: [] },
  {
    what: 'a rule',
    more: 'CREATE RULE quiet AS ON DELETE TO patients DO INSTEAD NOTHING',
    found: [/^MIGRATION_RULE: quiet/],
  },
  {
    what: 'a foreign key',
    table: `CREATE TABLE words (word text PRIMARY KEY); CREATE TABLE patients (id int PRIMARY KEY, name text REFERENCES words, ward text)`,
    found: [/^MIGRATION_FOREIGN_KEY/],
  },
  {
    what: 'a foreign key of another table',
    table: `CREATE TABLE patients (id int PRIMARY KEY, name text UNIQUE, ward text); CREATE TABLE visits (name text REFERENCES patients (name))`,
    found: [/^MIGRATION_FOREIGN_KEY/, /^MIGRATION_UNIQUE/],
  },
  {
    what: 'UNIQUE',
    table: 'CREATE TABLE patients (id int PRIMARY KEY, name text UNIQUE, ward text)',
    found: [/^MIGRATION_UNIQUE: constraint patients_name_key/],
  },
  {
    what: 'a unique index with another column',
    more: 'CREATE UNIQUE INDEX pair ON patients (ward, name)',
    found: [/^MIGRATION_UNIQUE: index pair/],
  },
  {
    what: 'UNIQUE of a searchable column, which has its index on the hash',
    settings: SEARCHABLE,
    table: 'CREATE TABLE patients (id int PRIMARY KEY, name text UNIQUE, ward text)',
    found: [/^MIGRATION_UNIQUE_ENDS/],
  },
  {
    what: 'an index',
    more: 'CREATE INDEX slow ON patients (lower(name))',
    found: [/^MIGRATION_INDEX_ENDS: index slow/],
  },
  {
    what: 'a CHECK constraint',
    more: "ALTER TABLE patients ADD CHECK (name <> '' OR ward <> '')",
    found: [/^MIGRATION_CHECK/],
  },
  { what: 'NOT NULL', more: 'ALTER TABLE patients ALTER name SET NOT NULL', found: [] },
  {
    what: 'a policy on the column',
    more: "CREATE POLICY seen ON patients USING (name <> 'x')",
    found: [/^MIGRATION_POLICY/],
  },
  {
    what: 'row security that is forced',
    more: 'ALTER TABLE patients ENABLE ROW LEVEL SECURITY; ALTER TABLE patients FORCE ROW LEVEL SECURITY',
    found: [/^MIGRATION_POLICY/],
  },
  {
    what: 'a trigger on the column',
    more: 'CREATE TRIGGER changed BEFORE UPDATE OF name ON patients FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    found: [/^MIGRATION_TRIGGER: trigger changed/, /^MIGRATION_TRIGGER_RUNS/],
  },
  {
    what: 'a trigger whose function names the column',
    more: 'CREATE FUNCTION low() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := lower(NEW.name); RETURN NEW; END $$; CREATE TRIGGER low BEFORE INSERT ON patients FOR EACH ROW EXECUTE FUNCTION low()',
    found: [/^MIGRATION_TRIGGER: trigger low calls low/],
  },
  {
    what: 'a function that depends on the column',
    more: 'CREATE FUNCTION first_name() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT name FROM patients LIMIT 1; END',
    found: [/^MIGRATION_USED: function first_name/],
  },
  { what: 'privileges on the column', more: 'GRANT SELECT (name) ON patients TO PUBLIC', found: [/^MIGRATION_GRANTS/] },
  { what: 'children', more: 'CREATE TABLE young () INHERITS (patients)', found: [/^MIGRATION_INHERITANCE/] },
  {
    what: 'a partitioned table',
    table: 'CREATE TABLE patients (id int PRIMARY KEY, name text, ward text) PARTITION BY HASH (id)',
    found: [/^MIGRATION_INHERITANCE/],
  },
];

t.test('finds', async (t) => {
  const name = (settings: string) => (settings === SEARCHABLE ? SEARCHABLE : 'data_type: str');
  const servers = new Map(
    await Promise.all(
      ['data_type: str', SEARCHABLE].map(
        async (settings) => [settings, (await migratingTables(t, settings, ['patients'])).of('patients')] as const,
      ),
    ),
  );
  for (const { what, table = TABLE, more, found, settings = 'data_type: str' } of CASES) {
    await t.test(what, async (t) => {
      const { owner, prepare, findings } = servers.get(name(settings))!;
      await owner.query('DROP OWNED BY CURRENT_USER CASCADE');
      await owner.query(table);
      if (more !== undefined) await owner.query(more);
      await prepare().catch(() => undefined);
      const all = await findings();
      for (const expected of found)
        t.ok(
          all.some((each) => expected.test(each)),
          `${expected} in ${all.join('; ')}`,
        );
      if (found.length === 0) t.same(all, []);
    });
  }
});
