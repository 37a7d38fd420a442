/**
 * What ON CONFLICT looks for. No two ciphertexts are equal, so that a unique index on a protected column never finds a conflict, and rows
 * would be doubled without a word. One on the hash in front of a searchable ciphertext does (acra-server contract 4.3): the column is
 * rewritten to it where the measured configuration says that there is such an index. PostgreSQL says 42P10 where there is none.
 */
import type { InferClause } from 'libpg-query';
import type { EncryptedColumn } from '../../encryptor-config/schema.ts';
import { isComparable, whyNot } from '../comparable.ts';
import { searchedColumns } from '../policy.ts';
import { allAs } from '../tree.ts';
import { isProtected } from './columns.ts';
import type { Relation, Scope } from './relations.ts';
import { isSearchPart } from './search-part.ts';
import { unsupported } from './unsupported.ts';
import type { Walk } from './walk.ts';

function hasUniqueIndex({ database }: Scope, { table }: EncryptedColumn, columns: readonly string[]): boolean {
  const wanted = new Set(columns);
  return database.uniqueSearches.some((entry) => {
    const indexed = new Set(searchedColumns(entry, table));
    return indexed.size === wanted.size && indexed.isSubsetOf(wanted);
  });
}

/** @throws Refusal */
export function judgeInference(own: Walk, infer: InferClause, target: Relation, scope: Scope): void {
  const elements = allAs(infer.indexElems, 'IndexElem');
  const names = elements.flatMap(({ name }) => name ?? []);
  const starts = own.draft.startsIn(infer.location);
  for (const [index, { name, expr }] of elements.entries()) {
    const output = target.columns.find((column) => name !== undefined && column.name === name)?.output;
    if (output === undefined || !isProtected(output)) {
      if (!isSearchPart(expr, scope)) own.visit(expr, scope);
      continue;
    }
    requireIndex(output, names, scope);
    const location = starts.length === elements.length ? starts[index] : undefined;
    if (location === undefined) throw unsupported('conflict-target', 'ON CONFLICT has a form that cannot be followed');
    own.draft.takeSearchColumn({ location, fields: [{ String: { sval: output.name } }] }, output);
  }
  own.visit(infer.whereClause, scope);
}

function requireIndex(column: EncryptedColumn, names: readonly string[], scope: Scope): void {
  const unequal = column.token ? 'which may have different tokens' : 'of which no two ciphertexts are equal';
  const what = `ON CONFLICT looks for equal values of protected column "${column.name}", ${unequal}`;
  if (!isComparable(column))
    throw unsupported('not-searchable', `${what}, and ${column.token ? '' : 'it '}${whyNot(column)}`);
  // Equal values have equal tokens: the database finds the index, or says 42P10.
  if (column.token) return;
  if (hasUniqueIndex(scope, column, names)) return;
  const entry = `${column.table}.${names.length === 1 ? column.name : `(${names.join(',')})`}`;
  throw unsupported(
    'conflict-target',
    `${what}: it needs a unique index with substr(${column.name}, 1, 33), and "${entry}" in the uniqueSearches of guard.list`,
  );
}
