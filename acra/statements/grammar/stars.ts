/**
 * `*` stands for as many columns as its relation or composite value has, so that nothing behind it has a known place. PostgreSQL expands
 * it in lists of results and in rows of values (18, "Row Constructors" and "Field Selection").
 */
import type { Node } from 'libpg-query';
import { as } from '../tree.ts';
import { fromElsewhere } from './unsupported.ts';
import type { Targets } from './walk.ts';

/** `t.*`, or `(expression).*`. */
export function isStarred(node: Node | undefined): boolean {
  const parts = as(node, 'ColumnRef')?.fields ?? as(node, 'A_Indirection')?.indirection ?? [];
  return parts.some((part) => 'A_Star' in part);
}

/** @throws Refusal where a row for protected columns has `*` in it */
export function requirePlaces(row: readonly Node[], targets: Targets): void {
  const found = targets.find((target) => target);
  if (found && row.some(isStarred)) throw fromElsewhere(found);
}
