/** What compares whole rows, or puts them in order: ORDER BY, GROUP BY, DISTINCT. The database would do it by ciphertext. */
import type { Node, SelectStmt } from 'libpg-query';
import { as, stringsOf } from '../tree.ts';
import { areRead, type Column, isOpen, isProtected, protectedIn, type Scope } from './relations.ts';
import { isStarred } from './stars.ts';
import { unsupported } from './unsupported.ts';
import type { Walk } from './walk.ts';

/** Without those that are hashes, which are equal where their values are. */
export const plainOf = (columns: readonly Column[]) => columns.filter(({ isHash }) => !isHash);

export const isDistinct = ({ distinctClause: [first] = [] }: SelectStmt) =>
  first !== undefined && Object.keys(first).length === 0;

export const distinctKeys = (query: SelectStmt): readonly Node[] =>
  isDistinct(query) ? [] : (query.distinctClause ?? []);

export function requireDistinct(columns: readonly Column[]): void {
  areRead(columns);
  const found = protectedIn(plainOf(columns));
  if (found)
    throw unsupported(
      'order',
      `DISTINCT compares protected column "${found.name}": equal values have different ciphertexts`,
    );
}

function nameIn(key: Node): string | undefined {
  const fields = as(key, 'ColumnRef')?.fields ?? [];
  return fields.length === 1 ? stringsOf(fields)[0] : undefined;
}

/** What a place or a name stands for. Where results are unknown in number, a place may be that of any. */
function meantBy(key: Node, columns: readonly Column[]): readonly Column[] {
  const [place, name] = [as(key, 'A_Const')?.ival?.ival, nameIn(key)];
  if (place !== undefined && isOpen(columns)) return columns;
  return columns.filter((column, index) => index + 1 === place || (name !== undefined && column.name === name));
}

/** GROUP BY takes a name for that of a column of FROM, before it takes it for that of a result. */
export function requireNoGroup(own: Walk, keys: readonly Node[], columns: readonly Column[], scope: Scope): void {
  const names = keys.map(nameIn).filter((name) => name !== undefined);
  const visible = scope.relations.filter(({ isAside }) => !isAside).flatMap((relation) => relation.columns);
  const inputs = visible.filter(({ name }) => name !== undefined && names.includes(name));
  requireNotOrdered(inputs);
  requireNoOrder(own, keys, columns, scope);
}

/** Keys of ORDER BY and DISTINCT ON: expressions, or places or names of results. */
export function requireNoOrder(own: Walk, keys: readonly Node[], columns: readonly Column[], scope: Scope): void {
  for (const key of keys) {
    const meant = meantBy(key, columns);
    const reference = meant.length === 0 && !isStarred(key) ? as(key, 'ColumnRef') : undefined;
    requireNotOrdered(reference ? [scope.column(reference)] : meant);
    if (meant.length === 0) own.visit(key, scope);
  }
}

function requireNotOrdered(meant: readonly Column[]): void {
  areRead(meant);
  const found = meant.map(({ output }) => output).find(isProtected);
  if (found) {
    throw unsupported(
      'order',
      `rows are ordered or grouped by protected column "${found.name}", of which the database has ciphertext`,
    );
  }
}
