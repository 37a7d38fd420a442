/** A column by its name, perhaps with casts: what a driver or an ORM writes around the columns of VALUES and unnest(…). */
import type { ColumnRef, Node, TypeCast } from 'libpg-query';
import type { EncryptedColumn } from '../../encryptor-config/schema.ts';
import type { Draft } from '../draft.ts';
import { as } from '../tree.ts';
import { isStarred } from './stars.ts';

export interface CastColumn {
  readonly reference: ColumnRef;
  /** The outermost first. */
  readonly casts: readonly TypeCast[];
}

export function castColumn(node: Node | undefined): CastColumn | undefined {
  const casts: TypeCast[] = [];
  let inner = node;
  for (let cast = as(inner, 'TypeCast'); cast; cast = as(inner, 'TypeCast')) {
    casts.push(cast);
    inner = cast.arg;
  }
  const reference = isStarred(inner) ? undefined : as(inner, 'ColumnRef');
  return reference && { reference, casts };
}

/** @returns false where one of them is to another type than the column's own */
export const takeCasts = (draft: Draft, casts: readonly TypeCast[], column: EncryptedColumn): boolean =>
  casts.every((cast) => draft.takeCast(cast, column));
