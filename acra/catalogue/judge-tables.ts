/** Whether protected tables are what the encryptor configuration says of them, and what in them does not go with ciphertext. */
import { isWrittenAs } from '../../postgres/sql-names.ts';
import { columnTypesOf, hasEqualTokens } from '../encryptor-config/database-type.ts';
import type { EncryptedColumn, EncryptedTable } from '../encryptor-config/schema.ts';
import type { Migration } from '../migration/migration.ts';
import type { Catalogue, Column, Constraint, Relation } from './catalogue.ts';
import { type Finding, finding } from './findings.ts';
import { judgeBelt } from './judge-belts.ts';
import { isRestIndex, tableNow } from './judge-migrations.ts';
import { labelOfRelation, quoted, shown } from './labels.ts';
import { relationsNamed } from './reach.ts';
import { isHashKey } from './unique-searches.ts';

type Tables = ReadonlyMap<string, EncryptedTable>;

const list = (names: readonly string[]) => shown(names.map(quoted).join(', '));

function judgeColumnOrder(label: string, real: readonly Column[], { columns, hidden }: EncryptedTable): Finding[] {
  const names = real.map(({ name }) => name);
  const shownOf = (all: readonly string[]) => (hidden ? all.filter((name) => !hidden.includes(name)).toSorted() : all);
  const [has, configured] = [shownOf(names), shownOf(columns)];
  if (has.length === configured.length && has.every((name, index) => name === configured[index])) return [];
  return [finding('DB_COLUMNS', label, `has (${list(names)}), configured is (${list(columns)})`)];
}

function judgeKeys(object: string, column: EncryptedColumn, constraints: readonly Constraint[]): Finding[] {
  const own = constraints.filter(({ columns }) => columns.includes(column.name));
  const of = (kinds: string) => own.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name);
  const [unique, foreign] = [of('upx'), of('f')];
  return [
    ...(unique.length > 0 && !hasEqualTokens(column)
      ? [finding('DB_COLUMN_UNIQUE', object, `constraint ${list(unique)}`)]
      : []),
    ...(foreign.length > 0 ? [finding('DB_COLUMN_FOREIGN_KEY', object, `constraint ${list(foreign)}`)] : []),
  ];
}

/** On the hash, alone or beside other columns. Indexes that belong to a constraint are told with that. */
function judgeIndexes(
  object: string,
  catalogue: Catalogue,
  relation: Relation,
  { name: column, searchable }: EncryptedColumn,
  migrations: readonly Migration[],
): Finding[] {
  const keyed = catalogue.constraints.filter((each) => each.relation === relation.id && 'upx'.includes(each.kind));
  const isOfConstraint = (index: string) => keyed.some(({ name }) => name === index);
  return catalogue.indexes.flatMap(({ relation: of, name, keys, columns, isUnique }) => {
    if (of !== relation.id || !columns.includes(column) || isOfConstraint(name)) return [];
    if (isRestIndex(catalogue, relation, name, migrations)) return [];
    const isOnHash =
      searchable && keys.some((key) => isHashKey(key, column)) && !keys.some((key) => isWrittenAs(column, key));
    const isBeside = !keys.some((key) => key.includes(column));
    const code = isUnique && !isBeside ? 'DB_COLUMN_UNIQUE' : 'DB_COLUMN_INDEX';
    return isOnHash ? [] : [finding(code, object, `index ${quoted(name)}`)];
  });
}

function judgeColumn(
  catalogue: Catalogue,
  relation: Relation,
  configured: EncryptedColumn,
  migrations: readonly Migration[],
): Finding[] {
  const { name } = configured;
  const object = `column ${quoted(name)} of ${labelOfRelation(relation)}`;
  const column = catalogue.columns.find((each) => each.relation === relation.id && each.name === name);
  if (!column) return [];
  const constraints = catalogue.constraints.filter((each) => each.relation === relation.id);
  const { type, baseType, hasDefault, isGenerated } = column;
  const generated = catalogue.generated.filter((each) => each.relation === relation.id && each.from === name);
  const isStored = relation.kind === 'r' || relation.kind === 'p';
  return [
    ...(columnTypesOf(configured).includes(baseType)
      ? []
      : [finding('DB_COLUMN_TYPE', object, `has type ${shown(type)}, and holds ${columnTypesOf(configured)[0]}`)]),
    ...(hasDefault || isGenerated
      ? [finding('DB_COLUMN_DEFAULT', object, isGenerated ? 'is generated' : 'has a default')]
      : []),
    ...judgeKeys(object, configured, constraints),
    ...(hasEqualTokens(configured) ? [] : judgeIndexes(object, catalogue, relation, configured, migrations)),
    ...generated.map((each) =>
      finding('DB_COLUMN_GENERATED_FROM', object, `column ${quoted(each.name)} is made from it`),
    ),
    ...(isStored && !configured.token ? judgeBelt(object, column, constraints, configured) : []),
  ];
}

/** Foreign keys of other tables. */
function judgeReferring(
  { foreignKeys, relations }: Catalogue,
  relation: Relation,
  { encrypted }: EncryptedTable,
): Finding[] {
  return foreignKeys.flatMap(({ name, from, to, referenced }) => {
    const column = to === relation.id ? referenced.find((each) => encrypted.has(each)) : undefined;
    if (column === undefined) return [];
    const other = relations.find(({ id }) => id === from);
    const object = `column ${quoted(column)} of ${labelOfRelation(relation)}`;
    return [
      finding(
        'DB_COLUMN_FOREIGN_KEY',
        object,
        `constraint ${quoted(name)} of ${other ? labelOfRelation(other) : 'another table'}`,
      ),
    ];
  });
}

const KIND_FINDINGS: Readonly<Record<string, 'DB_TABLE_KIND' | 'DB_TABLE_IS_VIEW'>> = {
  m: 'DB_TABLE_KIND',
  f: 'DB_TABLE_KIND',
  v: 'DB_TABLE_IS_VIEW',
};

function judgeTable(
  catalogue: Catalogue,
  relation: Relation,
  configured: EncryptedTable,
  migrations: readonly Migration[],
): Finding[] {
  const table = tableNow(catalogue, relation, configured, migrations);
  const label = labelOfRelation(relation);
  const real = catalogue.columns.filter((each) => each.relation === relation.id);
  const kind = KIND_FINDINGS[relation.kind];
  const rules = catalogue.attachments.filter(({ owner, kind: what }) => owner === relation.id && what === 'rule');
  return [
    ...(kind ? [finding(kind, label, 'is configured as a protected table')] : []),
    ...judgeColumnOrder(label, real, table),
    ...[...table.encrypted.values()].flatMap((column) => judgeColumn(catalogue, relation, column, migrations)),
    ...judgeReferring(catalogue, relation, table),
    ...(relation.hasRowSecurity ? [finding('DB_ROW_SECURITY', label, 'row security is on')] : []),
    ...rules.map(({ name }) => finding('DB_RULE', label, `rule ${quoted(name)}`)),
  ];
}

/** @param tables that have protected columns, or whose columns are known at least */
export function judgeTables(catalogue: Catalogue, tables: Tables, migrations: readonly Migration[]): Finding[] {
  return [...tables.values()].flatMap((table) => {
    const own = relationsNamed(catalogue, new Set([table.name]));
    const missing = finding('DB_TABLE_MISSING', `table ${quoted(table.name)}`, 'no schema has it');
    const twice = finding('DB_TABLE_TWICE', `table ${quoted(table.name)}`, own.map(labelOfRelation).join(', '));
    return [
      ...(own.length === 0 ? [missing] : []),
      ...(own.length > 1 ? [twice] : []),
      ...own.flatMap((relation) => judgeTable(catalogue, relation, table, migrations)),
    ];
  });
}
