/** A value in a row of a query that is compared by its hash: the hash stands in its place there already. */
import type { Node } from 'libpg-query';
import type { EncryptedColumn } from '../../encryptor-config/schema.ts';
import { as } from '../tree.ts';
import { takeArray } from './arrays.ts';
import type { Column } from './columns.ts';
import { isValue, unnestedArrays } from './given.ts';
import type { Scope } from './relations.ts';
import { givenSide, requireSameKeys, requireSearchable, sideOf } from './sides.ts';
import { notComparable } from './unsupported.ts';
import type { Compared, Walk } from './walk.ts';

export const hashOf = (column: EncryptedColumn): Column => ({ name: column.name, output: column, isHash: true });

/** @returns undefined where it is not known to be a protected column, nor compared with one. @throws Refusal */
export function hashed(
  own: Walk,
  val: Node | undefined,
  { comparedWith: column }: Compared,
  scope: Scope,
): Column | undefined {
  const side = sideOf(own, val, scope) ?? (column && givenSide(own, val, column, scope));
  if (side) {
    requireSearchable(side.column);
    if (column) requireSameKeys(side.column, column);
    own.draft.takeSearchColumn(side.reference, side.column);
    return hashOf(side.column);
  }
  if (!column) return undefined;
  takeHash(own, val, column, scope);
  return hashOf(column);
}

function takeHash(own: Walk, val: Node | undefined, column: EncryptedColumn, scope: Scope): void {
  const [constant, arrays] = [as(val, 'A_Const'), unnestedArrays(val)];
  if (constant?.isnull) own.draft.takeNull(constant, column);
  else if (isValue(val)) own.draft.takeValue(val, { column, role: 'search' });
  else if (arrays?.length === 1) {
    own.visit(val, scope);
    takeArray(own.draft, arrays[0], column, 'search');
  } else throw notComparable(column);
}
