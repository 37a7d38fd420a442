/** What compares whole rows, or puts them in order: ORDER BY, GROUP BY, DISTINCT. The database would do it by ciphertext. */
import type { Node, SelectStmt } from 'libpg-query';
import { allAs, as, stringsOf } from '../tree.ts';
import { areHidden, areRead, type Column, isProtected, protectedIn } from './columns.ts';
import type { Scope } from './relations.ts';
import { isStarred } from './stars.ts';
import { doubtful, unsupported } from './unsupported.ts';
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
  requireKnown(columns);
}

/** For rows that are compared as a whole. @throws Refusal where one of their columns may be protected, and nobody knows */
export function requireKnown(columns: readonly Column[]): void {
  const hidden = columns.find((column) => areHidden([column]));
  if (hidden) throw doubtful(hidden.name ?? '*');
}

/** ORDER BY … USING an operator. @throws Refusal */
export function requireOrderings(nodes: readonly Node[] | undefined, { database }: Scope): void {
  for (const { useOp, node } of allAs(nodes, 'SortBy')) if (useOp) database.receivers.requireOperator(useOp, [node]);
}

/** Keys of ORDER BY and DISTINCT ON: places or names of results, or expressions. */
export function requireNoOrder(own: Walk, keys: readonly Node[], columns: readonly Column[], scope: Scope): void {
  for (const key of keys) {
    const meant = meantBy(key, columns);
    if (meant.length === 0) requireNoInput(own, key, scope);
    else requireNoKey(meant, plainName(key));
  }
}

/** Of GROUP BY, also in its sets: a name there is a column of FROM before it is a result. */
export function requireNoGroups(own: Walk, keys: readonly Node[], columns: readonly Column[], scope: Scope): void {
  for (const key of keys.flatMap(groupsIn)) {
    const name = plainName(key);
    const isColumn = name === undefined ? 'none' : scope.hasColumn(name);
    if (isColumn !== 'none') requireNoInput(own, key, scope);
    if (isColumn !== 'surely') requireNoOrder(own, [key], columns, scope);
  }
}

function requireNoInput(own: Walk, key: Node, scope: Scope): void {
  const reference = isStarred(key) ? undefined : as(key, 'ColumnRef');
  if (reference) requireNoKey([scope.column(reference)], plainName(key));
  own.visit(key, scope);
}

function requireNoKey(meant: readonly Column[], name: string | undefined): void {
  areRead(meant);
  const found = protectedIn(meant);
  if (found) {
    throw unsupported(
      'order',
      `rows are ordered or grouped by protected column "${found.name}", of which the database has ciphertext`,
    );
  }
  if (areHidden(meant)) throw doubtful(name ?? meant[0]?.name ?? '*');
}

/** A protected column that may have any name. */
const isNameless = ({ name, output }: Column) => name === undefined && isProtected(output);

/** Behind a `*` of nobody knows how many columns a place may be that of any result. */
function meantBy(key: Node, columns: readonly Column[]): readonly Column[] {
  const [place, name] = [as(key, 'A_Const')?.ival?.ival, plainName(key)];
  if (name !== undefined) return columns.filter((column) => column.name === name || isNameless(column));
  if (place === undefined) return [];
  const star = columns.findIndex(({ output }) => output === 'unknown-star');
  return star === -1 || place <= star ? columns.slice(place - 1, place) : columns.slice(star);
}

function plainName(key: Node): string | undefined {
  const fields = as(key, 'ColumnRef')?.fields ?? [];
  return fields.length === 1 ? stringsOf(fields)[0] : undefined;
}

/** ROLLUP, CUBE and GROUPING SETS hold keys, and so do rows without ROW. */
function groupsIn(key: Node): readonly Node[] {
  const [set, row] = [as(key, 'GroupingSet'), as(key, 'RowExpr')];
  if (set) return (set.content ?? []).flatMap(groupsIn);
  return row?.row_format === 'COERCE_IMPLICIT_CAST' ? (row.args ?? []).flatMap(groupsIn) : [key];
}
