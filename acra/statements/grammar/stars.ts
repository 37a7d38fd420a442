/**
 * `*` stands for as many columns as its relation or composite value has, so that nothing behind it has a known place. PostgreSQL expands
 * it in lists of results and in rows of values (18, "Row Constructors" and "Field Selection").
 */
import type { Node } from 'libpg-query';
import { as } from '../tree.ts';
import type { Column } from './columns.ts';
import { fromElsewhere, starCompared } from './unsupported.ts';
import { isCompared, isStored, type Target, type Targets } from './walk.ts';

/** `t.*`, or `(expression).*`. */
export function isStarred(node: Node | undefined): boolean {
  const parts = as(node, 'ColumnRef')?.fields ?? as(node, 'A_Indirection')?.indirection ?? [];
  return parts.some((part) => 'A_Star' in part);
}

/** @throws Refusal where a row for protected columns has `*` in it */
export function requirePlaces(row: readonly Node[], targets: Targets): void {
  if (!row.some(isStarred)) return;
  const found = targets.find(isStored);
  if (found) throw fromElsewhere(found);
  requireNoHash([], targets);
}

const isForColumn = (target: Target) => isCompared(target) && target.comparedWith !== undefined;

/** For a row with `*` in it. @throws Refusal where one of its columns is compared by its hash */
export function requireNoHash(columns: readonly Column[], targets: Targets): void {
  if (targets.some(isForColumn) || columns.some(({ isHash }) => isHash)) throw starCompared();
}
