/**
 * The questions to a database's catalogue (PostgreSQL 13 and newer), each with the schema of its rows. They are asked with an empty
 * search_path; relations and functions are named with pg_catalog all the same. Ids are as catalogue.ts says.
 */
import type { z } from 'zod';
import * as rows from './catalogue.ts';
import { NO_RECEIVERS } from './no-receivers.ts';

export interface Question<Row> {
  readonly what: string;
  readonly sql: string;
  readonly values?: readonly unknown[];
  readonly row: z.ZodType<Row>;
  readonly maxRows: number;
}

/** Of the server, by SHOW server_version_num. */
const HAS_SQL_BODIES = 140_000;

/** FirstNormalObjectId: what has a smaller one came with PostgreSQL. */
export const OWN = 16_384;
const NO_RECEIVER_OIDS = `(SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.oid < ${OWN} AND p.proname = ANY ($1))`;
/** In an expression as PostgreSQL stores it (pg_node_tree), a call of one of these. */
const runsText = (tree: string) =>
  `EXISTS (SELECT 1 FROM pg_catalog.unnest(ARRAY(SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.oid < ${OWN} AND p.proname = ANY ($1))) AS f (oid)
    WHERE ${tree}::text LIKE '%funcid ' || f.oid || ' %' OR ${tree}::text LIKE '%aggfnoid ' || f.oid || ' %')`;
const inSchema = (alias: string, column: string) =>
  `JOIN pg_catalog.pg_namespace n ON n.oid = ${alias}.${column} AND pg_catalog.left(n.nspname::text, 7) <> 'pg_temp' AND pg_catalog.left(n.nspname::text, 8) <> 'pg_toast'`;
export const many = 500_000;

export const RELATIONS: Question<rows.Relation> = {
  what: 'relations',
  row: rows.relationSchema,
  maxRows: 200_000,
  sql: `SELECT 'R' || c.oid AS id, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind, 'T' || c.reltype AS "rowType",
      c.relrowsecurity AS "hasRowSecurity",
      c.relkind <> 'v' OR pg_catalog.pg_relation_is_updatable(c.oid, true) <> 0 AS "isUpdatable"
    FROM pg_catalog.pg_class c ${inSchema('c', 'relnamespace')}
    WHERE c.oid >= ${OWN} AND c.relpersistence <> 't' AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')`,
};

export const functions = (version: number): Question<rows.DatabaseFunction> => ({
  what: 'functions',
  row: rows.functionSchema,
  maxRows: 100_000,
  values: [NO_RECEIVERS],
  sql: `SELECT 'F' || p.oid AS id, n.nspname::text AS schema, p.proname::text AS name, p.prokind::text AS kind, l.lanname::text AS language,
      pg_catalog.left(pg_catalog.pg_get_function_identity_arguments(p.oid), 10000) AS arguments,
      CASE WHEN pg_catalog.octet_length(s.source) <= ${rows.MAX_SOURCE_BYTES} THEN s.source END AS source,
      p.prorettype NOT IN ('pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype)
        AND 'pg_catalog.internal'::pg_catalog.regtype <> ALL (p.proargtypes::oid[]) AS "isCallable",
      (SELECT e.extname::text FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
        WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e' LIMIT 1) AS extension,
      p.oid < ${OWN} AS "isBuiltIn"
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang ${inSchema('p', 'pronamespace')},
      LATERAL (SELECT coalesce(p.prosrc, '')${version < HAS_SQL_BODIES ? '' : " || ' ' || coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), '')"} AS source) s
    WHERE p.oid >= ${OWN} OR p.oid IN ${NO_RECEIVER_OIDS}`,
});

export const ATTACHMENTS: Question<rows.Attachment> = {
  what: 'rules, triggers, defaults, constraints, indexes and policies',
  row: rows.attachmentSchema,
  maxRows: many,
  values: [NO_RECEIVERS],
  sql: `SELECT 'W' || r.oid AS id, 'R' || r.ev_class AS owner, r.rulename::text AS name,
      CASE WHEN r.ev_type = '1' THEN 'view' ELSE 'rule' END AS kind,
      ${runsText('r.ev_action')} OR ${runsText('r.ev_qual')} AS "runsText"
    FROM pg_catalog.pg_rewrite r WHERE r.oid >= ${OWN}
    UNION ALL SELECT 'G' || t.oid, 'R' || t.tgrelid, t.tgname::text, 'trigger', coalesce(${runsText('t.tgqual')}, false)
    FROM pg_catalog.pg_trigger t WHERE t.tgrelid >= ${OWN}
    UNION ALL SELECT 'D' || d.oid, 'R' || d.adrelid, a.attname::text,
      CASE WHEN a.attgenerated = '' THEN 'default' ELSE 'generated' END, ${runsText('d.adbin')}
    FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.oid >= ${OWN}
    UNION ALL SELECT 'K' || k.oid, CASE WHEN k.contypid <> 0 THEN 'T' || k.contypid ELSE 'R' || k.conrelid END, k.conname::text, 'constraint',
      coalesce(${runsText('k.conbin')}, false)
    FROM pg_catalog.pg_constraint k WHERE k.oid >= ${OWN} AND (k.contypid <> 0 OR k.conrelid <> 0)
    UNION ALL SELECT 'R' || i.indexrelid, 'R' || i.indrelid, c.relname::text, 'index',
      coalesce(${runsText('i.indexprs')}, false) OR coalesce(${runsText('i.indpred')}, false)
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid WHERE i.indrelid >= ${OWN}
    UNION ALL SELECT 'L' || p.oid, 'R' || p.polrelid, p.polname::text, 'policy',
      coalesce(${runsText('p.polqual')}, false) OR coalesce(${runsText('p.polwithcheck')}, false)
    FROM pg_catalog.pg_policy p
    UNION ALL SELECT 'A' || c.oid, 'T' || t.type, 'from ' || pg_catalog.format_type(c.castsource, NULL) || ' to ' || pg_catalog.format_type(c.casttarget, NULL), 'cast', false
    FROM pg_catalog.pg_cast c, LATERAL (VALUES (c.castsource), (c.casttarget)) AS t (type) WHERE c.oid >= ${OWN} AND t.type >= ${OWN}
    UNION ALL SELECT 'O' || o.oid, 'T' || t.type, o.oprname::text, 'operator', false
    FROM pg_catalog.pg_operator o, LATERAL (VALUES (o.oprleft), (o.oprright)) AS t (type) WHERE o.oid >= ${OWN} AND t.type >= ${OWN}`,
};

const CLASSES = [
  ['pg_class', 'R'],
  ['pg_proc', 'F'],
  ['pg_type', 'T'],
  ['pg_operator', 'O'],
  ['pg_opclass', 'P'],
  ['pg_cast', 'A'],
  ['pg_rewrite', 'W'],
  ['pg_trigger', 'G'],
  ['pg_attrdef', 'D'],
  ['pg_constraint', 'K'],
  ['pg_policy', 'L'],
] as const;
const classes = CLASSES.map(([name, letter]) => `('pg_catalog.${name}'::pg_catalog.regclass::oid, '${letter}')`).join(
  ', ',
);

/**
 * To a relation only from what reads or writes it: a foreign key, a default and a policy name relations that no value gets into, and a
 * rule its own. An operator's and a function's arguments, and what a cast is between, count too.
 */
export const REFERENCES: Question<rows.Reference> = {
  what: 'dependencies',
  row: rows.referenceSchema,
  maxRows: 2_000_000,
  values: [NO_RECEIVERS],
  sql: `WITH classes (oid, letter) AS (VALUES ${classes})
    SELECT DISTINCT a.letter || d.objid AS "from", b.letter || d.refobjid AS "to"
    FROM pg_catalog.pg_depend d JOIN classes a ON a.oid = d.classid JOIN classes b ON b.oid = d.refclassid
    WHERE d.refobjid >= ${OWN} AND d.deptype <> 'e' AND b.letter IN ('R', 'F', 'T', 'O', 'P')
      AND (b.letter <> 'R' OR a.letter = 'F' OR (a.letter = 'W'
        AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_rewrite r WHERE r.oid = d.objid AND r.ev_class = d.refobjid)))
      AND (a.letter <> 'A' OR b.letter = 'F')
    UNION SELECT 'O' || o.oid, 'F' || o.oprcode::oid FROM pg_catalog.pg_operator o WHERE o.oid >= ${OWN} AND o.oprcode::oid IN ${NO_RECEIVER_OIDS}
    UNION SELECT 'A' || c.oid, 'F' || c.castfunc FROM pg_catalog.pg_cast c WHERE c.oid >= ${OWN} AND c.castfunc IN ${NO_RECEIVER_OIDS}
    UNION SELECT 'F' || a.aggfnoid::oid, 'F' || f.oid
    FROM pg_catalog.pg_aggregate a, LATERAL (VALUES (a.aggtransfn::oid), (a.aggfinalfn::oid), (a.aggcombinefn::oid), (a.aggserialfn::oid),
      (a.aggdeserialfn::oid), (a.aggmtransfn::oid), (a.aggminvtransfn::oid), (a.aggmfinalfn::oid)) AS f (oid)
    WHERE a.aggfnoid::oid >= ${OWN} AND (f.oid >= ${OWN} OR f.oid IN ${NO_RECEIVER_OIDS})
    UNION SELECT 'P' || c.oid, 'F' || p.amproc::oid FROM pg_catalog.pg_opclass c JOIN pg_catalog.pg_amproc p ON p.amprocfamily = c.opcfamily
    WHERE c.oid >= ${OWN} AND p.amproc::oid >= ${OWN}
    UNION SELECT 'P' || c.oid, 'O' || o.amopopr FROM pg_catalog.pg_opclass c JOIN pg_catalog.pg_amop o ON o.amopfamily = c.opcfamily
    WHERE c.oid >= ${OWN} AND o.amopopr >= ${OWN}`,
};

export const SYMBOLS: Question<rows.CatalogueSymbol> = {
  what: 'types, operators and casts',
  row: rows.symbolSchema,
  maxRows: many,
  sql: `SELECT 'T' || t.oid AS id, n.nspname::text AS schema, t.typname::text AS name, t.typtype::text AS kind
    FROM pg_catalog.pg_type t ${inSchema('t', 'typnamespace')} WHERE t.oid >= ${OWN}
    UNION ALL SELECT 'O' || o.oid, n.nspname::text, o.oprname::text, 'o' FROM pg_catalog.pg_operator o ${inSchema('o', 'oprnamespace')}
    WHERE o.oid >= ${OWN}
    UNION ALL SELECT 'P' || c.oid, n.nspname::text, c.opcname::text, 'p' FROM pg_catalog.pg_opclass c ${inSchema('c', 'opcnamespace')}
    WHERE c.oid >= ${OWN}
    UNION ALL SELECT 'A' || c.oid, '', 'from ' || pg_catalog.format_type(c.castsource, NULL) || ' to ' || pg_catalog.format_type(c.casttarget, NULL), c.castcontext::text
    FROM pg_catalog.pg_cast c WHERE c.oid >= ${OWN}`,
};

export const INHERITANCE: Question<{ readonly child: string; readonly parent: string }> = {
  what: 'inheritance',
  row: rows.inheritanceSchema,
  maxRows: many,
  sql: `SELECT 'R' || i.inhrelid AS child, 'R' || i.inhparent AS parent FROM pg_catalog.pg_inherits i
    JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid WHERE c.relkind IN ('r', 'p', 'f')`,
};

/** @param numbers an array of attnum */
export const columnNames = (relation: string, numbers: string) =>
  `ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(${numbers}) WITH ORDINALITY AS u (number, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = ${relation} AND a.attnum = u.number ORDER BY u.place)`;

export const FOREIGN_KEYS: Question<rows.ForeignKey> = {
  what: 'foreign keys',
  row: rows.foreignKeySchema,
  maxRows: many,
  sql: `SELECT k.conname::text AS name, 'R' || k.conrelid AS "from", 'R' || k.confrelid AS "to", ${columnNames('k.conrelid', 'k.conkey')} AS columns,
      ${columnNames('k.confrelid', 'k.confkey')} AS referenced, k.confupdtype IN ('c', 'n', 'd') OR k.confdeltype IN ('c', 'n', 'd') AS cascades
    FROM pg_catalog.pg_constraint k WHERE k.contype = 'f'`,
};

export const EVENT_TRIGGERS: Question<{ readonly name: string; readonly function: string }> = {
  what: 'event triggers',
  row: rows.eventTriggerSchema,
  maxRows: many,
  sql: `SELECT e.evtname::text AS name, 'F' || e.evtfoid AS function FROM pg_catalog.pg_event_trigger e`,
};
