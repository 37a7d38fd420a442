/** What stands on a side of a comparison: a searchable column, whose hash can be compared, or a value, whose hash can take its place. */
import type { ColumnRef, Node } from 'libpg-query';
import type { EncryptedColumn } from '../../encryptor-config/schema.ts';
import { areAlike, isComparable, whyNot } from '../comparable.ts';
import { castColumn, takeCasts } from './cast-columns.ts';
import { isProtected } from './columns.ts';
import type { Scope } from './relations.ts';
import { unsupported } from './unsupported.ts';
import type { Walk } from './walk.ts';

export interface Side {
  readonly reference: ColumnRef;
  readonly column: EncryptedColumn;
}

/** A protected column by itself, or cast to its own type. @throws Refusal for another cast */
export function sideOf(own: Walk, node: Node | undefined, scope: Scope): Side | undefined {
  const { reference, casts } = castColumn(node) ?? {};
  if (!reference) return undefined;
  const column = scope.find(reference);
  if (!isProtected(column)) return undefined;
  if (takeCasts(own.draft, casts ?? [], column)) return { reference, column };
  throw unsupported('cast', `protected column "${column.name}" is cast to a type that is not its own`);
}

/** A column of the statement's own values becomes one with the column that it is compared with. */
export function givenSide(own: Walk, node: Node | undefined, column: EncryptedColumn, scope: Scope): Side | undefined {
  const { reference } = castColumn(node) ?? {};
  const { given } = reference ? scope.column(reference) : {};
  if (!given) return undefined;
  requireSearchable(column);
  own.storeGiven(given, column);
  return sideOf(own, node, scope);
}

export function requireSearchable(column: EncryptedColumn): void {
  if (isComparable(column)) return;
  throw unsupported('not-searchable', `protected column "${column.name}" is compared, and ${whyNot(column)}`);
}

export function requireSameKeys(left: EncryptedColumn, right: EncryptedColumn): void {
  if (areAlike(left, right)) return;
  throw unsupported(
    'comparison',
    `protected columns "${left.name}" and "${right.name}" are compared, and have different keys, or tokens of different types`,
  );
}
