/**
 * On which side of the switch a session is (decision 21): asked of the catalogue once, when it begins. The answer is the database's word;
 * what hangs on it is only whether the column that the measured configuration names goes as it is.
 */
import type { Migration } from './migration.ts';

/** Plain data: it goes to other threads. A migration in neither list is behind its switch: the column is protected as any. */
export interface Sides {
  readonly plain: readonly Migration[];
  /** The table is not as `acra-enclave data prepare` leaves it, nor as the switch does. */
  readonly unprepared: readonly Migration[];
}

/** A row for each column of a relation that is called as a table here: relation's OID, its name, whether that name finds it, column, OID of its type. Names in UTF-8, in hex. */
export type CatalogueRow = readonly (string | null)[];

/** In ASCII alone, whatever the session's encoding and `standard_conforming_strings`. */
const quoted = (text: string) => `E'${[...text].map(escaped).join('')}'`;

function escaped(character: string): string {
  if (/[\w $.-]/.test(character)) return character;
  return `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`;
}

const inHex = (name: string) => `pg_catalog.encode(pg_catalog.convert_to(${name}::text, 'UTF8'), 'hex')`;

export function sideQuery(migrations: readonly Migration[]): string {
  const tables = [...new Set(migrations.map(({ table }) => quoted(table)))].join(', ');
  return (
    `SELECT c.oid, ${inHex('c.relname')}, pg_catalog.pg_table_is_visible(c.oid), ${inHex('a.attname')}, a.atttypid ` +
    'FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid ' +
    `WHERE c.relname IN (${tables}) AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped`
  );
}

const nameIn = (hex: string | null | undefined) => Buffer.from(hex ?? '', 'hex').toString();

const BYTEA = '17';
const TRUE = 't';

interface Relation {
  readonly isVisible: boolean;
  /** Types by the names of columns. */
  readonly columns: ReadonlyMap<string, string>;
}

/**
 * - `unprepared`: plaintext, and nothing beside it; or a table that is in neither of the other states.
 * - `plain`: both are there.
 * - `switched`: the protected one has the name.
 */
export type Side = 'plain' | 'switched' | 'unprepared';

/** @param own type of the column @param beside that of the one beside it; undefined: there is none @param bytea what that type is called */
export function sideByTypes(own: string | undefined, beside: string | undefined, bytea: string): Side {
  if (own === undefined) return 'unprepared';
  if (beside !== undefined) return beside === bytea ? 'plain' : 'unprepared';
  return own === bytea ? 'switched' : 'unprepared';
}

const sideOf = ({ columns }: Relation, { column, beside }: Migration): Side =>
  sideByTypes(columns.get(column), columns.get(beside), BYTEA);

/**
 * The relation that the bare name finds; where it finds none, all of that name must be alike. A session that is behind one switch would
 * store ciphertext as text in a table that is before its own, once it names that: a fence keeps it from the other way round alone.
 */
function sideAmong(relations: readonly Relation[], migration: Migration): Side {
  const visible = relations.filter(({ isVisible }) => isVisible);
  const all = new Set(relations.map((relation) => sideOf(relation, migration)));
  const sides = visible.length > 0 ? new Set(visible.map((relation) => sideOf(relation, migration))) : all;
  const [side = 'unprepared', ...others] = sides;
  return others.length > 0 || (side === 'switched' && all.has('plain')) ? 'unprepared' : side;
}

/** @param rows of sideQuery, in text format */
export function readSides(migrations: readonly Migration[], rows: readonly CatalogueRow[]): Sides {
  const relationsOf = (table: string) =>
    [
      ...Map.groupBy(
        rows.filter(([, name]) => nameIn(name) === table),
        ([oid]) => oid,
      ).values(),
    ].map(
      (own): Relation => ({
        isVisible: own.some(([, , isVisible]) => isVisible === TRUE),
        columns: new Map(own.map(([, , , name, type]) => [nameIn(name), type ?? ''])),
      }),
    );
  const all = migrations.map((migration) => ({ migration, side: sideAmong(relationsOf(migration.table), migration) }));
  const of = (wanted: Side) => all.filter(({ side }) => side === wanted).map(({ migration }) => migration);
  return { plain: of('plain'), unprepared: of('unprepared') };
}
