/**
 * Protected tables as they may be while rows of theirs are being encrypted (decision 21): what the migration itself makes is no finding,
 * and what is still to be done is one.
 */
import type { EncryptedTable } from '../encryptor-config/schema.ts';
import type { Migration } from '../migration/migration.ts';
import { restIndexName, triggerNames } from '../migration/names.ts';
import { triggerBody } from '../migration/prepare-statements.ts';
import { type Side, sideByTypes } from '../migration/sides.ts';
import type { Catalogue, Relation } from './catalogue.ts';
import { type Finding, finding } from './findings.ts';
import { labelOfRelation, quoted } from './labels.ts';
import { relationsNamed } from './reach.ts';

const BYTEA = 'bytea';

function sideIn({ columns }: Catalogue, relation: Relation, { column, beside }: Migration): Side {
  const typeOf = (name: string) => columns.find((each) => each.relation === relation.id && each.name === name)?.type;
  return sideByTypes(typeOf(column), typeOf(beside), BYTEA);
}

const of = (migrations: readonly Migration[], { name }: Pick<Relation, 'name'>) =>
  migrations.filter(({ table }) => table === name);

/** What holds no container there, or is not there: its settings are no demand on the relation. */
function unprotected(side: Side, { column, beside }: Migration): readonly string[] {
  if (side === 'plain') return [column];
  return side === 'switched' ? [beside] : [column, beside];
}

/** What is expected of the relation; its columns may stand in another order where any are hidden. */
export function tableNow(
  catalogue: Catalogue,
  relation: Relation,
  table: EncryptedTable,
  migrations: readonly Migration[],
): EncryptedTable {
  const own = of(migrations, relation);
  if (own.length === 0) return table;
  const open = own.flatMap((each) => unprotected(sideIn(catalogue, relation, each), each));
  const encrypted = new Map([...table.encrypted].filter(([name]) => !open.includes(name)));
  return { ...table, encrypted, hidden: own.flatMap(({ beside, old }) => [beside, old]) };
}

/** In each relation of a name alike; where some are before the switch, what holds for them. */
export function tablesNow(
  catalogue: Catalogue,
  tables: ReadonlyMap<string, EncryptedTable>,
  migrations: readonly Migration[],
): ReadonlyMap<string, EncryptedTable> {
  return new Map(
    [...tables].map(([name, table]) => {
      const relations = relationsNamed(catalogue, new Set([name]));
      const open = of(migrations, { name }).flatMap((each) => {
        const sides = relations.map((relation) => sideIn(catalogue, relation, each));
        return unprotected(sides.includes('plain') ? 'plain' : 'switched', each);
      });
      return [name, { ...table, encrypted: new Map([...table.encrypted].filter(([each]) => !open.includes(each))) }];
    }),
  );
}

/** One that a migration needs until its switch. */
export const isRestIndex = (
  catalogue: Catalogue,
  relation: Relation,
  index: string,
  migrations: readonly Migration[],
): boolean =>
  of(migrations, relation).some(
    (each) => restIndexName(each) === index && sideIn(catalogue, relation, each) === 'plain',
  );

/** One that a migration needs until its switch, and that does what it should. */
export function isOwnTrigger(
  catalogue: Catalogue,
  relation: Relation,
  trigger: Catalogue['triggers'][number],
  migrations: readonly Migration[],
): boolean {
  const source = catalogue.functions.find(({ id }) => id === trigger.function)?.source;
  return of(migrations, relation).some(
    (each) =>
      triggerNames(each).includes(trigger.name) &&
      sideIn(catalogue, relation, each) === 'plain' &&
      source?.trim() === triggerBody(each).trim(),
  );
}

function judge(catalogue: Catalogue, relation: Relation, migration: Migration): Finding {
  const { column, beside, old } = migration;
  const object = `column ${quoted(column)} of ${labelOfRelation(relation)}`;
  const side = sideIn(catalogue, relation, migration);
  const hasOld = catalogue.columns.some((each) => each.relation === relation.id && each.name === old);
  if (side === 'unprepared')
    return finding('DB_MIGRATION_UNPREPARED', object, `there is no column ${quoted(beside)} of type bytea beside it`);
  if (side === 'plain') return finding('DB_MIGRATION_PLAIN', object, `protected values gather in ${quoted(beside)}`);
  if (hasOld) return finding('DB_MIGRATION_OLD', object, `${quoted(old)} is there`);
  return finding('DB_MIGRATION_ENTRY', object, 'the switch is made, and nothing of the plaintext is there');
}

export const judgeMigrations = (catalogue: Catalogue, migrations: readonly Migration[]): Finding[] =>
  migrations.flatMap((migration) =>
    catalogue.relations
      .filter(({ name, kind }) => name === migration.table && (kind === 'r' || kind === 'p'))
      .map((relation) => judge(catalogue, relation, migration)),
  );
