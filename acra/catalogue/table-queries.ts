/** The questions about relations that are called as a protected table: $1 has the names. */
import * as rows from './catalogue.ts';
import { columnNames, many, OWN, type Question } from './queries.ts';

const protectedOnes = (column: string) =>
  `JOIN pg_catalog.pg_class c ON c.oid = ${column} AND c.oid >= ${OWN} AND c.relpersistence <> 't' AND c.relname::text = ANY ($1)
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`;

const short = (text: string) => `pg_catalog.left(${text}, 10000)`;
/** A belt says its column's name sixty times, and a name may have 128 characters in quotes. */
const definition = (constraint: string) => `pg_catalog.left(pg_catalog.pg_get_constraintdef(${constraint}), 40000)`;

const COLUMNS = `WITH RECURSIVE found AS (
    SELECT a.* FROM pg_catalog.pg_attribute a ${protectedOnes('a.attrelid')} WHERE a.attnum > 0 AND NOT a.attisdropped),
  base (start, oid, is_domain, depth) AS (
    SELECT t.oid, t.oid, t.typtype = 'd', 0 FROM pg_catalog.pg_type t WHERE t.oid IN (SELECT f.atttypid FROM found f)
    UNION ALL SELECT b.start, u.oid, u.typtype = 'd', b.depth + 1 FROM base b
    JOIN pg_catalog.pg_type t ON t.oid = b.oid JOIN pg_catalog.pg_type u ON u.oid = t.typbasetype WHERE b.is_domain AND b.depth < 100)
  SELECT 'R' || f.attrelid AS relation, f.attname::text AS name, ${short('pg_catalog.format_type(f.atttypid, f.atttypmod)')} AS type,
    coalesce((SELECT ${short('pg_catalog.format_type(b.oid, NULL)')} FROM base b WHERE NOT b.is_domain AND b.start = f.atttypid LIMIT 1), '') AS "baseType",
    ARRAY(SELECT ${definition('k.oid')} FROM base b JOIN pg_catalog.pg_constraint k ON k.contypid = b.oid
      WHERE b.start = f.atttypid AND k.contype = 'c' AND k.convalidated) AS "domainChecks",
    f.atthasdef AND f.attgenerated = '' AS "hasDefault", f.attgenerated <> '' OR f.attidentity <> '' AS "isGenerated"
  FROM found f ORDER BY f.attrelid, f.attnum`;

const CONSTRAINTS = `SELECT 'R' || k.conrelid AS relation, k.conname::text AS name, k.contype::text AS kind,
    ${columnNames('k.conrelid', 'k.conkey')} AS columns, ${definition('k.oid')} AS definition, k.convalidated AS "isValidated"
  FROM pg_catalog.pg_constraint k ${protectedOnes('k.conrelid')} ORDER BY k.conrelid, k.conname`;

/** Columns of expressions and predicates are known by what the index depends on. */
const INDEXES = `SELECT 'R' || i.indrelid AS relation, x.relname::text AS name,
    ARRAY(SELECT ${short('pg_catalog.pg_get_indexdef(i.indexrelid, g.key, true)')} FROM pg_catalog.generate_series(1, i.indnatts) AS g (key) ORDER BY g.key) AS keys,
    ARRAY(SELECT DISTINCT a.attname::text FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = d.refobjsubid
      WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = i.indexrelid
        AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = i.indrelid AND d.refobjsubid > 0
      UNION SELECT a.attname::text FROM pg_catalog.unnest(i.indkey::int2[]) AS u (number)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.number) AS columns,
    i.indisunique AS "isUnique",
    i.indisvalid AND i.indisready AND i.indislive AND i.indimmediate AND NOT i.indisexclusion AND i.indpred IS NULL
      AND m.amname = 'btree' AND i.indnkeyatts = i.indnatts
      AND NOT EXISTS (SELECT 1 FROM pg_catalog.unnest(i.indclass::oid[]) AS u (class) JOIN pg_catalog.pg_opclass o ON o.oid = u.class
        WHERE NOT o.opcdefault OR o.oid >= ${OWN}) AS "isPlain"
  FROM pg_catalog.pg_index i ${protectedOnes('i.indrelid')} JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = x.relam
  ORDER BY i.indrelid, x.relname`;

const GENERATED = `SELECT DISTINCT 'R' || t.adrelid AS relation, g.attname::text AS name, a.attname::text AS from
  FROM pg_catalog.pg_attrdef t ${protectedOnes('t.adrelid')}
  JOIN pg_catalog.pg_attribute g ON g.attrelid = t.adrelid AND g.attnum = t.adnum AND g.attgenerated <> ''
  JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = t.adrelid AND d.refobjsubid > 0
    AND (d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = t.oid
      OR d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = t.adrelid AND d.objsubid = t.adnum)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = t.adrelid AND a.attnum = d.refobjsubid AND a.attnum <> t.adnum`;

export function questionsOfTables(tables: readonly string[]) {
  const common = { values: [tables], maxRows: many };
  return {
    columns: { ...common, what: 'columns', row: rows.columnSchema, sql: COLUMNS },
    constraints: { ...common, what: 'constraints', row: rows.constraintSchema, sql: CONSTRAINTS },
    indexes: { ...common, what: 'indexes', row: rows.indexSchema, sql: INDEXES },
    generated: { ...common, what: 'generated columns', row: rows.generatedSchema, sql: GENERATED },
  } satisfies Record<string, Question<unknown>>;
}

/** Of every table: those of partitions and children count too. */
export const TRIGGERS: Question<rows.Trigger> = {
  what: 'triggers',
  row: rows.triggerSchema,
  maxRows: many,
  sql: `SELECT 'R' || t.tgrelid AS relation, t.tgname::text AS name, 'F' || t.tgfoid AS function FROM pg_catalog.pg_trigger t
    WHERE NOT t.tgisinternal AND t.tgrelid >= ${OWN}`,
};
