/** What is asked of the catalogue about one table (PostgreSQL 13 and newer), as texts. It is small: the answers are, too. */
import type { Connection, Row } from './connection.ts';
import { rowsOf } from './connection.ts';

/** $1: its name. Temporary ones are a session's own. */
const RELATIONS = `SELECT c.oid::text, n.nspname::text, c.relkind::text, pg_catalog.pg_has_role(c.relowner, 'USAGE')::text, c.relforcerowsecurity::text,
    (c.relispartition OR EXISTS (SELECT 1 FROM pg_catalog.pg_inherits h WHERE h.inhparent = c.oid OR h.inhrelid = c.oid))::text,
    greatest(c.reltuples, 0)::bigint::text, pg_catalog.pg_table_is_visible(c.oid)::text,
    (c.relkind = 'r' AND EXISTS (SELECT 1 FROM pg_catalog.pg_inherits h WHERE h.inhparent = c.oid))::text
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relname = $1::name AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't' ORDER BY n.nspname`;

export interface FoundTable {
  readonly oid: string;
  readonly schema: string;
  readonly isOwner: boolean;
  readonly isRowSecurityForced: boolean;
  /** It has parents, children, or partitions. */
  readonly isInherited: boolean;
  /** Of INHERITS, and no partitions: their keys may be those of its own rows. */
  readonly hasChildren: boolean;
  readonly isPartitioned: boolean;
  /** Of the last ANALYZE or VACUUM. */
  readonly estimatedRows: number;
}

export interface Found {
  /** Undefined: no table of its own, or several. */
  readonly table: FoundTable | undefined;
  /** Schemas and kinds (pg_class.relkind) of all that are called so. */
  readonly all: readonly (readonly [string, string])[];
}

const TRUE = 'true';

/** In the schema; else the only one, or the one that the bare name finds. */
export async function findTable(connection: Connection, name: string, schema: string | undefined): Promise<Found> {
  const rows = await rowsOf(connection, RELATIONS, [name]);
  const all = rows.map(([, each, kind]) => [each ?? '', kind ?? ''] as const);
  const named = schema === undefined ? rows : rows.filter(([, each]) => each === schema);
  const [relation, ...others] = named.length > 1 ? named.filter((row) => row[7] === TRUE) : named;
  const [oid, own, kind, isOwner, isForced, isInherited, estimate, , hasChildren] = relation ?? [];
  if (!oid || !own || others.length > 0 || (kind !== 'r' && kind !== 'p')) return { table: undefined, all };
  const table = {
    oid,
    schema: own,
    isOwner: isOwner === TRUE,
    isRowSecurityForced: isForced === TRUE,
    isInherited: isInherited === TRUE,
    hasChildren: hasChildren === TRUE,
    isPartitioned: kind === 'p',
    estimatedRows: Number(estimate),
  };
  return { table, all };
}

/** $1: the table's OID, here and below. */
const COLUMNS = `SELECT a.attname::text, a.attnum::text, pg_catalog.format_type(a.atttypid, -1), t.typtype::text, a.attnotnull::text,
    (a.atthasdef AND a.attgenerated = '')::text, (a.attgenerated <> '' OR a.attidentity <> '')::text, coalesce(a.attacl::text, ''), n.nspname::text
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`;

const KEY = `SELECT a.attname::text, pg_catalog.format_type(a.atttypid, -1)
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[])
  WHERE i.indrelid = $1::oid AND i.indisprimary AND i.indisvalid
    AND pg_catalog.array_position(i.indkey::int2[], a.attnum) < i.indnkeyatts
  ORDER BY pg_catalog.array_position(i.indkey::int2[], a.attnum)`;

const TRIGGERS = `SELECT g.tgname::text, g.tgenabled::text, p.proname::text, CASE WHEN pg_catalog.octet_length(p.prosrc) < 1000000 THEN p.prosrc ELSE '' END
  FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid WHERE g.tgrelid = $1::oid AND NOT g.tgisinternal ORDER BY g.tgname`;

/** One row a key column of an index. */
const INDEXES = `SELECT x.relname::text, (i.indisvalid AND i.indisready AND i.indislive)::text, i.indisunique::text, pg_catalog.pg_get_indexdef(i.indexrelid, s.k, true),
    (i.indpred IS NOT NULL)::text
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid CROSS JOIN LATERAL pg_catalog.generate_series(1, i.indnkeyatts::int) AS s (k)
  WHERE i.indrelid = $1::oid ORDER BY x.relname, s.k`;

const CHECKS = `SELECT k.conname::text, k.convalidated::text, pg_catalog.array_to_string(k.conkey, ','), pg_catalog.pg_get_constraintdef(k.oid)
  FROM pg_catalog.pg_constraint k WHERE k.conrelid = $1::oid AND k.contype = 'c' ORDER BY k.conname`;

const RULES = `SELECT r.rulename::text FROM pg_catalog.pg_rewrite r WHERE r.ev_class = $1::oid ORDER BY r.rulename`;

/** By itself, by its schema, or by FOR ALL TABLES. */
const PUBLICATIONS = `SELECT DISTINCT p.pubname::text FROM pg_catalog.pg_publication_tables p JOIN pg_catalog.pg_class c ON c.oid = $1::oid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE p.schemaname = n.nspname AND p.tablename = c.relname ORDER BY 1`;

/** $2: the column's number. What cannot be without the column; the letter is a constraint's kind, or whether an index is unique. */
const DEPENDENTS = `SELECT d.classid::pg_catalog.regclass::text, coalesce(k.contype::text, CASE WHEN i.indisunique THEN 'u' END, ''),
    pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid), coalesce(k.conname, x.relname, g.tgname, '')::text,
    (a.attgenerated IS NOT NULL AND a.attgenerated <> '')::text
  FROM pg_catalog.pg_depend d
  LEFT JOIN pg_catalog.pg_constraint k ON d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND k.oid = d.objid
  LEFT JOIN pg_catalog.pg_class x ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND x.oid = d.objid
  LEFT JOIN pg_catalog.pg_index i ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND i.indexrelid = d.objid
  LEFT JOIN pg_catalog.pg_trigger g ON d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND g.oid = d.objid
  LEFT JOIN pg_catalog.pg_attrdef f ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND f.oid = d.objid
  LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::oid AND a.attnum = coalesce(f.adnum, CASE WHEN d.objid = $1::oid THEN d.objsubid END)
  WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = $1::oid AND d.refobjsubid = $2::int
  UNION SELECT 'pg_catalog.pg_constraint', k.contype::text, pg_catalog.pg_describe_object('pg_catalog.pg_constraint'::pg_catalog.regclass, k.oid, 0), k.conname::text, 'false'
  FROM pg_catalog.pg_constraint k WHERE k.confrelid = $1::oid AND $2::int2 = ANY (k.confkey)
  ORDER BY 3`;

export interface TableFacts {
  readonly columns: readonly Row[];
  readonly key: readonly Row[];
  readonly triggers: readonly Row[];
  readonly indexes: readonly Row[];
  readonly checks: readonly Row[];
  readonly rules: readonly Row[];
  readonly publications: readonly Row[];
  /** By the column's number. */
  readonly dependents: readonly Row[];
}

export async function factsOf(connection: Connection, oid: string, column: string): Promise<TableFacts> {
  const ask = (sql: string, ...more: string[]) => rowsOf(connection, sql, [oid, ...more]);
  const columns = await ask(COLUMNS);
  const number = columns.find(([name]) => name === column)?.[1];
  return {
    columns,
    key: await ask(KEY),
    triggers: await ask(TRIGGERS),
    indexes: await ask(INDEXES),
    checks: await ask(CHECKS),
    rules: await ask(RULES),
    publications: await ask(PUBLICATIONS),
    dependents: number === undefined || number === null ? [] : await ask(DEPENDENTS, number),
  };
}
