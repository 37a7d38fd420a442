/**
 * Ways for a value that is given to something plain to get into a protected column, and neighbours of theirs that are none: what is
 * left out of the list for each, what is listed, and what is told.
 */
export interface Way {
  readonly sql: string;
  /** What may get no values because of it. */
  readonly leftOut?: readonly string[];
  readonly functionsLeftOut?: readonly string[];
  /** Beside those of the base. */
  readonly listed?: readonly string[];
  readonly functionsListed?: readonly string[];
  readonly operatorsLeftOut?: readonly string[];
  readonly operatorsListed?: readonly string[];
  /** Codes and a part of what is told. */
  readonly told?: readonly (readonly [code: string, text: RegExp])[];
}

const SAVES = `CREATE FUNCTION saves() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM save(NEW.note); RETURN NEW; END $$;`;

export const WAYS: Readonly<Record<string, Way>> = {
  'a view': {
    sql: 'CREATE VIEW v AS SELECT * FROM patients; CREATE VIEW w AS SELECT id FROM v',
    leftOut: ['v', 'w'],
    listed: ['notes'],
    told: [
      ['DB_VIEW', /view public\.v: .*patients/],
      ['DB_VIEW', /view public\.w: .*view public\.v/],
    ],
  },
  'a materialized view': { sql: 'CREATE MATERIALIZED VIEW v AS SELECT * FROM patients', leftOut: ['v'] },
  'a view of a plain table': { sql: 'CREATE VIEW v AS SELECT * FROM notes', listed: ['notes', 'v'] },
  'a view with a function': {
    sql: 'CREATE VIEW v AS SELECT id, save(note) FROM notes',
    leftOut: ['v'],
    listed: ['notes'],
  },
  'a default of a view’s column': {
    sql: "CREATE VIEW v AS SELECT * FROM notes; ALTER VIEW v ALTER note SET DEFAULT save('x')",
    leftOut: ['v'],
    listed: ['notes'],
  },
  'a trigger of a whole statement': {
    sql: `CREATE FUNCTION copies() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "patients" (id, name) SELECT id, note FROM fresh; RETURN NULL; END $$;
      CREATE TRIGGER t AFTER INSERT ON notes REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION copies()`,
    leftOut: ['notes'],
  },
  'a function that gives back rows': {
    sql: `CREATE FUNCTION rows(text) RETURNS SETOF patients LANGUAGE plpgsql AS $$ BEGIN RETURN; END $$;
      CREATE VIEW v AS SELECT * FROM rows('x')`,
    leftOut: ['v'],
    functionsLeftOut: ['rows'],
    listed: ['notes'],
  },
  'a range of a type that runs code': {
    sql: `CREATE FUNCTION differs(integer, integer) RETURNS double precision IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM save('x'); RETURN 0; END $$;
      CREATE TYPE ran AS RANGE (subtype = integer, subtype_diff = differs); CREATE TABLE n (r ran, s ran[])`,
    leftOut: ['n'],
    functionsLeftOut: ['differs'],
    listed: ['notes'],
  },
  'a view with an INSTEAD OF trigger': {
    sql: `${SAVES} CREATE VIEW v AS SELECT * FROM notes; CREATE TRIGGER t INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION saves()`,
    leftOut: ['v'],
    listed: ['notes'],
    told: [
      ['DB_RELATION_LEFT_OUT', /trigger t, which calls function public\.saves\(\), which names function public\.save/],
    ],
  },
  'a child': {
    sql: 'CREATE TABLE c () INHERITS (patients)',
    leftOut: ['c'],
    told: [['DB_INHERITANCE', /table public\.c/]],
  },
  'a parent, whose other children are plain': {
    sql: 'CREATE TABLE p (name text); ALTER TABLE patients INHERIT p; CREATE TABLE sibling () INHERITS (p)',
    leftOut: ['p'],
    listed: ['notes', 'sibling'],
    told: [['DB_INHERITANCE', /table public\.p/]],
  },
  'a child of a child': {
    sql: 'CREATE TABLE c () INHERITS (patients); CREATE TABLE d () INHERITS (c)',
    leftOut: ['c', 'd'],
  },
  'a partition that runs code': {
    sql: `${SAVES} CREATE TABLE p (note text) PARTITION BY LIST (note); CREATE TABLE q PARTITION OF p DEFAULT;
      CREATE TRIGGER t BEFORE INSERT ON q FOR EACH ROW EXECUTE FUNCTION saves()`,
    leftOut: ['p', 'q'],
  },
  'a rule': {
    sql: 'CREATE RULE r AS ON INSERT TO notes DO ALSO INSERT INTO patients (id, name) VALUES (NEW.id, NEW.note)',
    leftOut: ['notes'],
    told: [['DB_RELATION_LEFT_OUT', /runs rule r, which reads or writes table public\.patients/]],
  },
  'a rule that calls': { sql: 'CREATE RULE r AS ON UPDATE TO notes DO ALSO SELECT save(NEW.note)', leftOut: ['notes'] },
  'a trigger': {
    sql: `${SAVES} CREATE TRIGGER t AFTER UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION saves()`,
    leftOut: ['notes'],
  },
  'a trigger with a condition': {
    sql: `CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
      CREATE TRIGGER t AFTER UPDATE ON notes FOR EACH ROW WHEN (save(NEW.note) IS NULL) EXECUTE FUNCTION nothing()`,
    leftOut: ['notes'],
  },
  'a trigger that does nothing of the kind': {
    sql: `CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := upper(NEW.note); RETURN NEW; END $$;
      CREATE TRIGGER t BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION nothing()`,
    listed: ['notes'],
  },
  'a default': { sql: "ALTER TABLE notes ADD seen text DEFAULT save('x')", leftOut: ['notes'] },
  'a generated column': {
    sql: `CREATE FUNCTION pure(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN save($1); END $$;
      ALTER TABLE notes ADD seen text GENERATED ALWAYS AS (pure(note)) STORED`,
    leftOut: ['notes'],
    functionsLeftOut: ['pure'],
  },
  'a CHECK constraint': { sql: 'ALTER TABLE notes ADD CHECK (save(note) IS NOT NULL)', leftOut: ['notes'] },
  'a domain': {
    sql: 'CREATE DOMAIN d AS text CHECK (save(VALUE) IS NOT NULL); CREATE TABLE n (d d); CREATE TABLE m (d d[])',
    leftOut: ['n', 'm'],
    listed: ['notes'],
    told: [['DB_SYMBOL_REACHES', /type public\.d: runs constraint/]],
  },
  'a domain in a composite type': {
    sql: 'CREATE DOMAIN d AS text CHECK (save(VALUE) IS NOT NULL); CREATE TYPE c AS (d d); CREATE TABLE n (c c)',
    leftOut: ['n'],
  },
  'a domain as an argument': {
    sql: `CREATE DOMAIN d AS text CHECK (save(VALUE) IS NOT NULL);
      CREATE FUNCTION takes(d) RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$`,
    functionsLeftOut: ['takes'],
  },
  'a column of a row type': { sql: 'CREATE TABLE n (p patients)', leftOut: ['n'] },
  'an index expression and a predicate': {
    sql: `CREATE FUNCTION pure(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN save($1); END $$;
      CREATE INDEX ON notes (pure(note)); CREATE TABLE n (note text); CREATE INDEX ON n (note) WHERE pure(note) IS NOT NULL`,
    leftOut: ['notes', 'n'],
  },
  'a partition key': {
    sql: `CREATE FUNCTION pure(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN save($1); END $$;
      CREATE TABLE p (note text) PARTITION BY LIST (pure(note))`,
    leftOut: ['p'],
  },
  'a policy': {
    sql: 'ALTER TABLE notes ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON notes WITH CHECK (save(note) IS NOT NULL)',
    leftOut: ['notes'],
  },
  'a policy that only looks': {
    sql: 'ALTER TABLE notes ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON notes USING (EXISTS (SELECT 1 FROM patients p WHERE p.id = notes.id))',
    listed: ['notes'],
  },
  'a foreign key to a protected table': {
    sql: 'ALTER TABLE notes ADD FOREIGN KEY (id) REFERENCES patients',
    listed: ['notes'],
  },
  'a foreign key that cascades into a protected column': {
    sql: 'CREATE TABLE k (email bytea PRIMARY KEY); ALTER TABLE patients ADD FOREIGN KEY (email) REFERENCES k ON UPDATE CASCADE',
    leftOut: ['k'],
    told: [['DB_COLUMN_FOREIGN_KEY', /column email of table public\.patients/]],
  },
  'a foreign key that cascades into one that runs code': {
    sql: `${SAVES} CREATE TABLE k (note text PRIMARY KEY); CREATE TABLE n (note text REFERENCES k ON UPDATE CASCADE);
      CREATE TRIGGER t AFTER UPDATE ON n FOR EACH ROW EXECUTE FUNCTION saves()`,
    leftOut: ['k', 'n'],
  },
  'an operator': {
    sql: `CREATE OPERATOR === (FUNCTION = save, RIGHTARG = text); CREATE VIEW v AS SELECT === note FROM notes;
      CREATE FUNCTION uses(text) RETURNS text LANGUAGE sql AS $$ SELECT === $1 $$`,
    leftOut: ['v'],
    functionsLeftOut: ['uses'],
    operatorsLeftOut: ['==='],
    told: [['DB_OPERATOR_LEFT_OUT', /operator ===/]],
  },
  'an operator that works something out': {
    sql: 'CREATE OPERATOR |=| (FUNCTION = texteq, LEFTARG = text, RIGHTARG = text)',
    operatorsListed: ['|=|'],
  },
  'an operator of a type of its own': {
    sql: `CREATE TYPE c AS (x text); CREATE FUNCTION likes(c, c) RETURNS boolean LANGUAGE sql AS $$ SELECT save(($1).x) IS NULL $$;
      CREATE OPERATOR = (FUNCTION = likes, LEFTARG = c, RIGHTARG = c); CREATE TABLE n (c c);
      CREATE FUNCTION plain(text) RETURNS boolean LANGUAGE sql AS $$ SELECT $1 = 'x' $$;
      CREATE FUNCTION finds(text) RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM n WHERE c = '(x)' $$`,
    leftOut: ['n'],
    functionsLeftOut: ['likes', 'finds'],
    functionsListed: ['plain'],
    told: [['DB_SYMBOL_REACHES', /operator =/]],
  },
  'a cast': {
    sql: `CREATE TYPE c AS (x text); CREATE FUNCTION casts(text) RETURNS c LANGUAGE plpgsql AS $$ BEGIN RETURN ROW(save($1)); END $$;
      CREATE CAST (text AS c) WITH FUNCTION casts(text) AS ASSIGNMENT; CREATE TABLE n (c c)`,
    leftOut: ['n'],
    told: [['DB_SYMBOL_REACHES', /cast from text to public\.c/]],
  },
  'a default argument': {
    sql: "CREATE FUNCTION f(a text, b text DEFAULT save('x')) RETURNS text LANGUAGE sql AS $$ SELECT a $$",
    functionsLeftOut: ['f'],
  },
  'an aggregate': {
    sql: `CREATE FUNCTION adds(text, text) RETURNS text LANGUAGE sql AS $$ SELECT save($2) $$; CREATE AGGREGATE agg(text) (SFUNC = adds, STYPE = text);
      CREATE FUNCTION joins(text, text) RETURNS text LANGUAGE sql AS $$ SELECT $1 || $2 $$; CREATE AGGREGATE fine(text) (SFUNC = joins, STYPE = text)`,
    functionsLeftOut: ['adds', 'agg'],
    functionsListed: ['fine', 'joins'],
  },
  'a body that is parsed': {
    sql: `CREATE FUNCTION f(given text) RETURNS void BEGIN ATOMIC INSERT INTO patients (id, name) VALUES (1, given); END;
      CREATE FUNCTION g(given text) RETURNS text RETURN upper(given)`,
    functionsLeftOut: ['f'],
    functionsListed: ['g'],
  },
  'other letters': {
    sql: `CREATE FUNCTION a(t text) RETURNS void LANGUAGE sql AS $$ INSERT INTO U&"pat\\0069ents" (id, name) VALUES (1, t) $$;
      CREATE FUNCTION b(t text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'INSERT INTO pat' || 'ients (id, name) VALUES (1, $1)' USING t; END $$;
      CREATE FUNCTION c(t text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN DO 'BEGIN END'; END $$;
      CREATE FUNCTION d(t text) RETURNS void LANGUAGE sql AS $$ INSERT INTO "public"."patients"(id,name)VALUES(1,t) $$;
      CREATE FUNCTION e(t text) RETURNS void LANGUAGE sql AS $$ INSERT INTO PaTiEnTs (id, name) VALUES (1, t) $$;
      CREATE FUNCTION f(t text) RETURNS xml LANGUAGE sql AS $$ SELECT query_to_xml(t, true, true, '') $$;
      CREATE FUNCTION g(t text) RETURNS void LANGUAGE sql AS $$ INSERT INTO notes VALUES (1, t) ON CONFLICT (id) DO UPDATE SET note = t $$`,
    functionsLeftOut: ['a', 'b', 'c', 'd', 'e', 'f'],
    functionsListed: ['g'],
  },
  'functions that call each other in a circle': {
    sql: `SET check_function_bodies = off;
      CREATE FUNCTION a(text) RETURNS text LANGUAGE sql AS $$ SELECT b($1) $$; CREATE FUNCTION b(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN c($1); END $$;
      CREATE FUNCTION c(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM a($1); RETURN save($1); END $$;`,
    functionsLeftOut: ['a', 'b', 'c'],
  },
  'a function that writes what runs code': {
    sql: `${SAVES} CREATE TRIGGER t AFTER INSERT ON notes FOR EACH ROW EXECUTE FUNCTION saves();
      CREATE FUNCTION adds(text) RETURNS void LANGUAGE sql AS $$ INSERT INTO notes VALUES (1, $1) $$`,
    leftOut: ['notes'],
    functionsLeftOut: ['adds'],
  },
  'a function of the same name': {
    sql: `CREATE FUNCTION touch(integer) RETURNS text LANGUAGE sql AS $$ SELECT save($1::text) $$`,
    functionsLeftOut: ['touch'],
    told: [['DB_FUNCTION_OVERLOADED', /function public\.touch\(given text\)/]],
  },
  'a function with the name of one of PostgreSQL’s': {
    sql: `CREATE FUNCTION upper(integer) RETURNS text LANGUAGE sql AS $$ SELECT save($1::text) $$;
      CREATE FUNCTION query_to_xml(integer) RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$`,
    functionsLeftOut: ['upper', 'query_to_xml', 'touch'],
    told: [
      ['DB_BUILT_IN_NAME', /function public\.upper/],
      ['DB_NAME_RESERVED', /function public\.query_to_xml/],
    ],
  },
  'a table of the same name elsewhere': {
    sql: `CREATE SCHEMA other; CREATE TABLE other.notes () INHERITS (patients); CREATE SCHEMA apart; CREATE VIEW apart.patients AS SELECT 1 AS id`,
    leftOut: ['notes'],
    told: [
      ['DB_NAME_SHARED', /table public\.notes/],
      ['DB_TABLE_TWICE', /patients/],
      ['DB_TABLE_IS_VIEW', /apart\.patients/],
    ],
  },
  'a name of PostgreSQL’s own': {
    sql: 'CREATE VIEW pg_tables AS SELECT * FROM patients; CREATE TABLE pg_settings (name text, setting text)',
    leftOut: ['pg_tables', 'pg_settings'],
    told: [
      ['DB_CATALOGUE_NAME', /pg_tables/],
      ['DB_NAME_RESERVED', /pg_settings/],
    ],
  },
  'names that begin like PostgreSQL’s own, and are none': {
    sql: 'CREATE VIEW pg_patients AS SELECT * FROM patients; CREATE TABLE pg_notes (name text); CREATE TABLE tables (name text)',
    leftOut: ['pg_patients'],
    listed: ['pg_notes', 'tables'],
    told: [['DB_VIEW', /pg_patients/]],
  },
  'a view whose rule runs a text': {
    sql: "CREATE RULE r AS ON INSERT TO notes DO ALSO SELECT query_to_xml(NEW.note, true, true, '')",
    leftOut: ['notes'],
    told: [['DB_RELATION_LEFT_OUT', /runs rule r, which calls a function that runs a text/]],
  },
  'an extension in C that is not known, and one that is': {
    sql: `CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE EXTENSION IF NOT EXISTS citext; CREATE TABLE n (c citext);
      CREATE INDEX ON n USING gin (c gin_trgm_ops)`,
    listed: ['n', 'notes'],
  },
};
