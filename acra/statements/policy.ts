/** What may receive values that nobody protects (enclave.yaml, section `guard`, and the list that it names). */

/** Plain data: it goes to other programs and threads. Names as PostgreSQL stores them, without schemas. */
export interface Policy {
  /** `any`: whatever relation or function there is. */
  readonly relations: 'listed' | 'any';
  readonly list: {
    readonly relations: readonly string[];
    readonly functions: readonly string[];
    /** As they are written, without schemas. */
    readonly operators?: readonly string[];
    /** `table.column` of searchable columns with a unique index on the hash alone; `table.(column,column)` of an index on more. */
    readonly uniqueSearches: readonly string[];
  };
}

export const ANY_RELATION: Policy = { relations: 'any', list: { relations: [], functions: [], uniqueSearches: [] } };

/** @param entry `table.column`, or `table.(column,column)` @returns none where it is of another table */
export function searchedColumns(entry: string, table: string): readonly string[] {
  if (!entry.startsWith(`${table}.`)) return [];
  const columns = entry.slice(table.length + 1);
  const isOfSeveral = columns.startsWith('(') && columns.endsWith(')');
  return isOfSeveral
    ? columns
        .slice(1, -1)
        .split(',')
        .map((name) => name.trim())
    : [columns];
}
