/** Which searchable columns a database keeps unique by their search hashes, alone or beside columns that are not protected (acra-server contract 4.3). */
import { isWrittenAs } from '../../postgres/sql-names.ts';
import { byCodeUnits } from '../../runtime/code-units.ts';
import type { EncryptedTable } from '../encryptor-config/schema.ts';
import type { Catalogue, Relation } from './catalogue.ts';
import { inheriting, relationsNamed } from './reach.ts';

type Tables = ReadonlyMap<string, EncryptedTable>;
type Index = Catalogue['indexes'][number];

/** As PostgreSQL writes `substr(column, 1, 33)`. */
export const isHashKey = (key: string, column: string) =>
  isWrittenAs(column, /^substr\((.*), 1, 33\)$/s.exec(key)?.[1] ?? '');

/** What a list of several columns could not hold (acra/statements/policy.ts). */
const isPlainName = (name: string) => !/[(),]|^\s|\s$/.test(name);

/** The columns of an index that finds conflicts: searchable ones by their hashes, at least one of them. */
function searchedBy({ keys }: Index, { columns, encrypted }: EncryptedTable): readonly string[] {
  const named = keys.map((key) =>
    columns.find((column) => {
      const own = encrypted.get(column);
      return own ? own.searchable && isHashKey(key, column) : isWrittenAs(column, key);
    }),
  );
  const found = named.filter((name) => name !== undefined);
  const isComplete = found.length === keys.length && found.some((name) => encrypted.has(name));
  return isComplete && (found.length === 1 || found.every(isPlainName)) ? found : [];
}

export const searchEntry = (table: string, columns: readonly string[]) =>
  `${table}.${columns.length === 1 ? columns[0] : `(${columns.join(',')})`}`;

function entriesOf({ indexes }: Catalogue, { id, kind }: Relation, table: EncryptedTable): string[] {
  return indexes.flatMap((index) => {
    const isUnique = kind === 'r' && index.relation === id && index.isUnique && index.isPlain;
    const columns = isUnique ? searchedBy(index, table) : [];
    if (columns.length === 0) return [];
    return searchEntry(table.name, columns);
  });
}

/** Those that every schema has that has the table. */
export function uniqueSearches(catalogue: Catalogue, tables: Tables): string[] {
  const inherited = inheriting(catalogue);
  const found = [...tables.values()].flatMap((table) => {
    const own = relationsNamed(catalogue, new Set([table.name]));
    const [first = [], ...others] = own.map((each) =>
      inherited.has(each.id) ? [] : entriesOf(catalogue, each, table),
    );
    return first.filter((entry) => others.every((entries) => entries.includes(entry)));
  });
  return [...new Set(found)].sort(byCodeUnits);
}
