/** What check-db says of protected tables themselves, in a real PostgreSQL. */
import t from 'tap';
import { checkAsStored, checkFor } from '../../../acra/belts/check.ts';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import type { EncryptedColumn } from '../../../acra/encryptor-config/schema.ts';
import { ENCRYPTOR_YAML } from '../../../cli/demo/database.ts';
import { identifier } from '../../../postgres/sql-names.ts';
import { caseDatabase } from './support/database.ts';

const TWO = `schemas:
  - table: patients
    columns: [id, name, email, diagnosis]
    encrypted:
      - {column: email, searchable: true, data_type: str}
      - {column: diagnosis, data_type: str}
  - table: Odd 'Table
    columns: [A b]
    encrypted:
      - {column: A b, searchable: true, data_type: str}
`;

function column(name: string, yaml = TWO): EncryptedColumn {
  for (const { encrypted } of parseEncryptorConfig(yaml, 'encryptor.yaml').tables.values()) {
    const found = encrypted.get(name);
    if (found) return found;
  }
  throw new Error(`no protected column ${name}`);
}

/** As long as a name can be, in quotes. */
const LONG = 'X'.repeat(63);
const LONG_NAMED = `${ENCRYPTOR_YAML}  - table: longest
    columns: ['${LONG}']
    encrypted:
      - {column: '${LONG}', searchable: true}
`;

const TOKENS = `schemas:
  - table: patients
    columns: [id, name, email, diagnosis]
    encrypted:
      - {column: name, token_type: str, consistent_tokenization: true}
      - {column: email, token_type: email}
      - {column: diagnosis, token_type: bytes}
`;

interface Case {
  readonly sql: string;
  /** Codes of what is found beside what the base has. */
  readonly codes: readonly string[];
  readonly yaml?: string;
  readonly uniqueSearches?: readonly string[];
}

const NO_BELTS = 'ALTER TABLE patients DROP CONSTRAINT patients_email_check, DROP CONSTRAINT patients_diagnosis_check';
const TRIGGER = (body: string) =>
  `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} RETURN NEW; END $$;
   CREATE TRIGGER t BEFORE INSERT ON patients FOR EACH ROW EXECUTE FUNCTION f()`;

const CASES: Readonly<Record<string, Case>> = {
  'nothing where all is right': { sql: '', codes: [] },
  'a table that is missing': { sql: 'DROP TABLE patients', codes: ['DB_TABLE_MISSING'] },
  'columns that are not configured': { sql: 'ALTER TABLE patients ADD more text', codes: ['DB_COLUMNS'] },
  'columns in another order': {
    sql: 'ALTER TABLE patients DROP name; ALTER TABLE patients ADD name text',
    codes: ['DB_COLUMNS'],
  },
  'a column that is no bytea': {
    sql: `${NO_BELTS}; ALTER TABLE patients ALTER diagnosis TYPE text USING ''`,
    codes: ['DB_COLUMN_TYPE', 'DB_BELT_MISSING', 'DB_BELT_MISSING'],
  },
  'belts that are missing or not valid': {
    sql: `${NO_BELTS}; ALTER TABLE patients ADD CHECK (substring(diagnosis from 1 for 3) = '\\x252525') NOT VALID`,
    codes: ['DB_BELT_MISSING', 'DB_BELT_MISSING'],
  },
  'a belt of a domain that looks at first bytes': {
    sql: `CREATE DOMAIN container AS bytea CHECK (substring(VALUE from 1 for 3) = '\\x252525'); CREATE DOMAIN stored AS container;
      ALTER TABLE patients DROP CONSTRAINT patients_diagnosis_check, ALTER diagnosis TYPE stored`,
    codes: ['DB_BELT_SHORT'],
  },
  'no missing belt where a domain has it, or the column of a domain': {
    sql: `CREATE DOMAIN stored AS bytea CHECK ${checkAsStored(column('diagnosis'), 'VALUE')}; CREATE DOMAIN plain AS bytea;
      ALTER TABLE patients DROP CONSTRAINT patients_diagnosis_check, ALTER diagnosis TYPE stored,
        DROP CONSTRAINT patients_email_check, ALTER email TYPE plain, ADD CHECK ${checkFor(column('email'), 'email')}`,
    codes: [],
  },
  'a belt that looks at first bytes': {
    sql: `${NO_BELTS}; ALTER TABLE patients ADD CHECK (get_byte(email, 0) = 127 AND substring(email from 34 for 3) = '\\x252525'),
      ADD CHECK (substring(diagnosis from 1 for 3) = '\\x252525')`,
    codes: ['DB_BELT_SHORT', 'DB_BELT_SHORT'],
  },
  'a belt that is not validated': {
    sql: `${NO_BELTS}; ALTER TABLE patients ADD CHECK ${checkFor(column('email'), 'email')} NOT VALID,
      ADD CHECK ${checkFor(column('diagnosis'), 'diagnosis')}`,
    codes: ['DB_BELT_NOT_VALIDATED'],
  },
  'a belt of another configuration, and one that children have not': {
    sql: `${NO_BELTS}; ALTER TABLE patients ADD CONSTRAINT acra_belt_email CHECK ${checkFor({ ...column('email'), searchable: false }, 'email')},
      ADD CONSTRAINT acra_belt_diagnosis CHECK ${checkFor(column('diagnosis'), 'diagnosis')} NO INHERIT`,
    codes: ['DB_BELT_DIFFERENT', 'DB_BELT_DIFFERENT'],
  },
  'the belt of another column': {
    sql: `${NO_BELTS}; ALTER TABLE patients ADD CHECK ${checkFor(column('diagnosis'), 'email')}, ADD CHECK ${checkFor(column('email'), 'diagnosis')}`,
    codes: ['DB_BELT_DIFFERENT', 'DB_BELT_DIFFERENT'],
  },
  'a default': { sql: "ALTER TABLE patients ALTER diagnosis SET DEFAULT 'x'", codes: ['DB_COLUMN_DEFAULT'] },
  'unique values': { sql: 'ALTER TABLE patients ADD UNIQUE (email)', codes: ['DB_COLUMN_UNIQUE'] },
  'a unique index of values': { sql: 'CREATE UNIQUE INDEX ON patients (name, email)', codes: ['DB_COLUMN_UNIQUE'] },
  'an exclusion constraint': {
    sql: 'ALTER TABLE patients ADD EXCLUDE USING btree (email WITH =)',
    codes: ['DB_COLUMN_UNIQUE'],
  },
  'a foreign key': {
    sql: 'CREATE TABLE k (e bytea PRIMARY KEY); ALTER TABLE patients ADD FOREIGN KEY (email) REFERENCES k',
    codes: ['DB_COLUMN_FOREIGN_KEY'],
  },
  'a foreign key to it': {
    sql: 'ALTER TABLE patients ADD UNIQUE (email); CREATE TABLE k (e bytea REFERENCES patients (email))',
    codes: ['DB_COLUMN_UNIQUE', 'DB_COLUMN_FOREIGN_KEY'],
  },
  'an index that finds nothing': {
    sql: 'CREATE INDEX ON patients (diagnosis); CREATE INDEX ON patients (name) WHERE email IS NOT NULL',
    codes: ['DB_COLUMN_INDEX', 'DB_COLUMN_INDEX'],
  },
  'no index of the hash': { sql: 'CREATE INDEX ON patients (substr(email, 1, 33))', codes: [] },
  'a generated column': {
    sql: 'ALTER TABLE patients ADD long integer GENERATED ALWAYS AS (length(diagnosis)) STORED',
    codes: ['DB_COLUMNS', 'DB_COLUMN_GENERATED_FROM'],
  },
  'row security, and a rule': {
    sql: 'ALTER TABLE patients ENABLE ROW LEVEL SECURITY; CREATE RULE r AS ON DELETE TO patients DO INSTEAD NOTHING',
    codes: ['DB_ROW_SECURITY', 'DB_RULE'],
  },
  'a trigger': { sql: TRIGGER("NEW.name := 'x';"), codes: ['DB_TRIGGER'] },
  'a trigger that names a protected column': {
    sql: TRIGGER('NEW.DiaGnosis := NEW.name;'),
    codes: ['DB_TRIGGER_NAMES_COLUMN', 'DB_TRIGGER'],
  },
  'a trigger whose function cannot be read': {
    sql: TRIGGER("EXECUTE 'SELECT 1';"),
    codes: ['DB_TRIGGER', 'DB_TABLE_RUNS_CODE'],
  },
  'a configured view, and the table that it shows': {
    sql: 'ALTER TABLE patients RENAME TO real; CREATE VIEW patients AS SELECT * FROM real',
    codes: ['DB_SHOWN_TABLE', 'DB_TABLE_IS_VIEW'],
  },
  'a materialized view': {
    sql: 'ALTER TABLE patients RENAME TO real; CREATE MATERIALIZED VIEW patients AS SELECT * FROM real',
    codes: ['DB_TABLE_KIND', 'DB_SHOWN_TABLE'],
  },
  'unique search hashes': {
    sql: 'CREATE UNIQUE INDEX ON patients (substr(email, 1, 33))',
    codes: [],
    uniqueSearches: ['patients.email'],
  },
  'unique search hashes beside other columns, in the order of the index': {
    sql: 'CREATE UNIQUE INDEX ON patients (substr(email, 1, 33), name); CREATE UNIQUE INDEX ON patients (id, name, substr(email, 1, 33))',
    codes: [],
    uniqueSearches: ['patients.(email,name)', 'patients.(id,name,email)'],
  },
  'no unique search hash where the index has more': {
    sql: `CREATE UNIQUE INDEX ON patients (substr(email, 1, 33), lower(name)); CREATE UNIQUE INDEX ON patients (id, name); CREATE UNIQUE INDEX ON patients (substr(email, 1, 33)) WHERE id > 1;
      CREATE UNIQUE INDEX ON patients (substr(email, 1, 33)) INCLUDE (id)`,
    codes: [],
  },
  'an index of another part, or of a column that has no hash': {
    sql: `CREATE UNIQUE INDEX ON patients (substr(email, 1, 32)); CREATE UNIQUE INDEX ON patients (substr(diagnosis, 1, 33));
      CREATE INDEX ON patients (substr(email, 1, 33), email)`,
    codes: ['DB_COLUMN_UNIQUE', 'DB_COLUMN_UNIQUE', 'DB_COLUMN_INDEX'],
  },
  'nothing of a belt whose column has the longest name': {
    sql: `CREATE TABLE longest (${identifier(LONG)} bytea CHECK ${checkFor(column(LONG, LONG_NAMED), LONG)})`,
    yaml: LONG_NAMED,
    codes: [],
  },
  'nothing where tokens have their types, and consistent ones keys': {
    sql: `${NO_BELTS}; ALTER TABLE patients ALTER email TYPE varchar(99) USING '', ADD UNIQUE (name); CREATE INDEX ON patients (name)`,
    yaml: TOKENS,
    codes: [],
  },
  'columns of tokens with other types, and keys on tokens that are not consistent': {
    sql: `${NO_BELTS}; ALTER TABLE patients ADD UNIQUE (diagnosis)`,
    yaml: TOKENS,
    codes: ['DB_COLUMN_TYPE', 'DB_COLUMN_UNIQUE'],
  },
  'odd names, too': {
    sql: `CREATE TABLE "Odd 'Table" ("A b" bytea CHECK ${checkFor(column('A b'), 'A b')}); CREATE UNIQUE INDEX ON "Odd 'Table" (substr("A b", 1, 33));
      CREATE VIEW v AS SELECT * FROM "Odd 'Table"; CREATE FUNCTION odd(text) RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM "Odd 'Table" $$`,
    yaml: TWO,
    codes: ['DB_VIEW', 'DB_FUNCTION_LEFT_OUT'],
    uniqueSearches: ["Odd 'Table.A b"],
  },
};

/** Of the base: `save` writes into the protected table. */
const isOfBase = (code: string, object: string) => code === 'DB_FUNCTION_LEFT_OUT' && object.includes('save(');

t.test('protected tables', async (t) => {
  const database = await caseDatabase(t);
  for (const [name, { sql, codes, yaml, uniqueSearches = [] }] of Object.entries(CASES)) {
    await t.test(`tells ${name}`, async (t) => {
      const { list, findings } = await database.judge(sql, yaml);
      const own = findings.filter(({ code, object }) => !isOfBase(code, object) && !object.includes('f()'));
      t.same(
        own.map(({ code }) => code).toSorted(),
        codes.toSorted(),
        own.map(({ object, found }) => `${object}: ${found}`).join('\n'),
      );
      t.same(list.uniqueSearches, uniqueSearches);
      t.notOk(list.relations.includes('patients'));
    });
  }

  await t.test('keeps the same list, to the byte, for the same database', async (t) => {
    const sql = 'CREATE TABLE z (); CREATE TABLE a (); CREATE TABLE "Z" (); CREATE TABLE é ()';
    const [first, second] = [await database.judge(sql), await database.judge(sql)];
    t.same(first.list.relations, ['Z', 'a', 'notes', 'z', 'é']);
    t.equal(JSON.stringify(second.list), JSON.stringify(first.list));
  });

  await t.test('keeps names of a stranger harmless', async (t) => {
    const { findings } = await database.judge('CREATE VIEW "a\n\u001b[31m\u202e""b" AS SELECT * FROM patients');
    const { object = '' } = findings.find(({ code }) => code === 'DB_VIEW') ?? {};
    t.equal(object, 'view public."a\\x0a\\x1b[31m\\u{202e}""b"');
  });
});
