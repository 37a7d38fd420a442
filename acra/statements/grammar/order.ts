/** What compares whole rows, or puts them in order: ORDER BY, GROUP BY, DISTINCT. The database would do it by ciphertext. */
import type { Node, SelectStmt } from 'libpg-query';
import { as, stringsOf } from '../tree.ts';
import { areRead, type Column, isProtected, protectedIn, type Scope } from './relations.ts';
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

/** Keys of ORDER BY, GROUP BY and DISTINCT ON: expressions, or places or names of results. */
export function requireNoOrder(own: Walk, keys: readonly Node[], columns: readonly Column[], scope: Scope): void {
  for (const key of keys) {
    const place = as(key, 'A_Const')?.ival?.ival;
    const fields = as(key, 'ColumnRef')?.fields ?? [];
    const [name] = fields.length === 1 ? stringsOf(fields) : [];
    const meant = columns.filter(
      (column, index) => index + 1 === place || (name !== undefined && column.name === name),
    );
    areRead(meant);
    const found = meant.map(({ output }) => output).find(isProtected);
    if (found) {
      throw unsupported(
        'order',
        `rows are ordered or grouped by protected column "${found.name}", of which the database has ciphertext`,
      );
    }
    if (meant.length === 0) own.visit(key, scope);
  }
}
