/**
 * Which searchable columns have a unique index on their hash (`uniqueSearches` of the list). Those that the catalogue shows are found; entries
 * that stand in the list already are kept unless the database contradicts them.
 */
import { isWrittenAs } from '../../postgres/sql-names.ts';
import { byCodeUnits } from '../../runtime/code-units.ts';
import type { EncryptedTable } from '../encryptor-config/schema.ts';
import { searchedColumns } from '../statements/policy.ts';
import type { Catalogue, Relation } from './catalogue.ts';
import { type Finding, finding } from './findings.ts';
import { inheriting, relationsNamed } from './reach.ts';
import { isHashKey, uniqueSearches } from './unique-searches.ts';

type Tables = ReadonlyMap<string, EncryptedTable>;
type Index = Catalogue['indexes'][number];

/** Whether a unique index has these columns, with the hashes of the protected ones; of a plain one, and no others. INCLUDE is among its keys. */
function areKeysOf({ keys, isPlain }: Index, { encrypted }: EncryptedTable, columns: readonly string[]): boolean {
  const isKeyOf = (key: string, column: string) =>
    encrypted.has(column) ? isHashKey(key, column) : isWrittenAs(column, key);
  const areThere = columns.every((column) => keys.some((key) => isKeyOf(key, column)));
  return areThere && (!isPlain || keys.every((key) => columns.some((column) => isKeyOf(key, column))));
}

/** Whether ON CONFLICT over these columns finds a unique index in the relation: surely, perhaps, or not. */
function holdsIn(catalogue: Catalogue, relation: Relation, table: EncryptedTable, columns: readonly string[]) {
  const indexes = catalogue.indexes.filter(
    (each) => each.relation === relation.id && each.isUnique && areKeysOf(each, table, columns),
  );
  const isStored = relation.kind === 'r' || relation.kind === 'p';
  if (!isStored) return 'perhaps';
  if (indexes.length === 0) return 'not';
  // An index of a parent knows nothing of the rows of its children; one of a partitioned table does.
  const isWhole = relation.kind === 'p' || !inheriting(catalogue).has(relation.id);
  return isWhole && indexes.some(({ isPlain }) => isPlain) ? 'surely' : 'perhaps';
}

/** Of the same columns, in whatever order. */
const isSameSearch = (one: string, other: string, tables: Tables) =>
  tables.values().some(({ name }) => {
    const [columns, others] = [one, other].map((entry) => new Set(searchedColumns(entry, name)));
    return columns && others && columns.size > 0 && columns.symmetricDifference(others).size === 0;
  });

interface Entry {
  readonly isKept: boolean;
  readonly findings: readonly Finding[];
}

function judgeEntry(catalogue: Catalogue, tables: Tables, entry: string): Entry {
  const object = `uniqueSearches: ${JSON.stringify(entry)}`;
  const told = (isKept: boolean, code: 'DB_SEARCH_NOT_UNIQUE' | 'DB_SEARCH_NOT_JUDGED', found: string): Entry => ({
    isKept,
    findings: [finding(code, object, found)],
  });
  for (const table of tables.values()) {
    const columns = searchedColumns(entry, table.name);
    const own = columns.flatMap((name) => table.encrypted.get(name) ?? []);
    const isOfTable = own.length > 0 && own.every(({ searchable }) => searchable);
    if (!isOfTable || !columns.every((name) => table.columns.includes(name))) continue;
    const relations = relationsNamed(catalogue, new Set([table.name]));
    const answers = relations.map((each) => holdsIn(catalogue, each, table, columns));
    if (answers.includes('not')) return told(false, 'DB_SEARCH_NOT_UNIQUE', 'no unique index has these columns alone');
    if (answers.length === 0) return told(true, 'DB_SEARCH_NOT_JUDGED', 'no schema has the table');
    if (answers.every((answer) => answer === 'surely')) return { isKept: true, findings: [] };
    return told(true, 'DB_SEARCH_NOT_JUDGED', 'a view, a parent, or an index that is not plain');
  }
  return told(false, 'DB_SEARCH_NOT_UNIQUE', 'is no searchable column of the encryptor configuration');
}

export interface JudgedSearches {
  /** Sorted. */
  readonly uniqueSearches: string[];
  readonly findings: readonly Finding[];
}

/** @param tables with protected columns @param present entries of the list that there is */
export function judgeSearches(catalogue: Catalogue, tables: Tables, present: readonly string[]): JudgedSearches {
  const found = uniqueSearches(catalogue, tables);
  const isFound = (entry: string) => found.some((other) => isSameSearch(entry, other, tables));
  const others = [...new Set(present)].filter((entry) => !isFound(entry));
  const judged = others.map((entry) => [entry, judgeEntry(catalogue, tables, entry)] as const);
  const kept = judged.flatMap(([entry, { isKept }]) => (isKept ? [entry] : []));
  return {
    uniqueSearches: [...found, ...kept].sort(byCodeUnits),
    findings: judged.flatMap(([, { findings }]) => findings),
  };
}
