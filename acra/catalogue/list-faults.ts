/** What in a list of receivers contradicts the encryptor configuration, or would give values to what must never get one. */
import type { GuardList } from '../../config/guard-list.ts';
import type { EncryptedTable } from '../encryptor-config/schema.ts';
import { isCatalogueName } from '../statements/grammar/built-in-relations.ts';
import { searchedColumns } from '../statements/policy.ts';
import { NO_RECEIVERS } from './no-receivers.ts';

export interface ListFault {
  /** As `relations.3`. */
  readonly path: string;
  readonly message: string;
}

function relationFault(name: string, tables: ReadonlyMap<string, EncryptedTable>): string | undefined {
  if (tables.has(name)) return 'is a table of the encryptor configuration, which says what becomes of its values';
  return isCatalogueName(name) ? 'is called as a relation of PostgreSQL’s own, which would be meant' : undefined;
}

function searchFault(name: string, tables: ReadonlyMap<string, EncryptedTable>): string | undefined {
  const isSearch = ({ name: table, columns: known, encrypted }: EncryptedTable) => {
    const columns = searchedColumns(name, table);
    const own = columns.map((column) => encrypted.get(column)).filter((column) => column !== undefined);
    return (
      columns.every((column) => known.includes(column)) && own.length > 0 && own.every(({ searchable }) => searchable)
    );
  };
  return tables.values().some(isSearch) ? undefined : 'is no searchable column of the encryptor configuration';
}

/** All of them, in the order of the file. */
export function listFaults(list: GuardList, tables: ReadonlyMap<string, EncryptedTable>): ListFault[] {
  const faultsOf = (
    section: 'relations' | 'functions' | 'uniqueSearches',
    fault: (name: string) => string | undefined,
  ) =>
    list[section].flatMap((name, index) => {
      const message = fault(name);
      return message === undefined
        ? []
        : [{ path: `${section}.${index}`, message: `${JSON.stringify(name)} ${message}` }];
    });
  return [
    ...faultsOf('relations', (name) => relationFault(name, tables)),
    ...faultsOf('functions', (name) =>
      NO_RECEIVERS.includes(name) ? 'runs a text as a statement, or keeps what it gets' : undefined,
    ),
    ...faultsOf('uniqueSearches', (name) => searchFault(name, tables)),
  ];
}
