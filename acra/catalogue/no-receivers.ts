/**
 * Functions of PostgreSQL that may never be given a value, whatever a database has of the same name: they run a text as a statement, or
 * keep what they get. They are what built-in-functions.json leaves out.
 */
export const NO_RECEIVERS: readonly string[] = [
  ...['query_to_xml', 'query_to_xml_and_xmlschema', 'query_to_xmlschema', 'ts_rewrite', 'ts_stat'],
  ...['lo_from_bytea', 'lo_import', 'lo_put', 'lowrite', 'pg_logical_emit_message'],
];

/** Whose functions in C work on their arguments alone. Those that an extension has in SQL are read like everybody's. */
export const PURE_EXTENSIONS: ReadonlySet<string> = new Set([
  ...['pg_trgm', 'citext', 'hstore', 'uuid-ossp', 'pgcrypto', 'unaccent', 'fuzzystrmatch', 'intarray', 'ltree'],
  ...['cube', 'earthdistance', 'btree_gin', 'btree_gist', 'isn', 'postgis', 'vector'],
]);
