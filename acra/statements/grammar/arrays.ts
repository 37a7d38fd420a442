/** An array of values for a protected column: its elements where they are written, the whole where it is a parameter or a literal. */
import type { Node } from 'libpg-query';
import type { EncryptedColumn } from '../../encryptor-config/schema.ts';
import type { Draft } from '../draft.ts';
import { as } from '../tree.ts';
import { fromElsewhere } from './unsupported.ts';

/** @throws Refusal */
export function takeArray(
  draft: Draft,
  array: Node | undefined,
  column: EncryptedColumn,
  role: 'store' | 'search',
): void {
  const cast = as(array, 'TypeCast');
  const elements = as(cast ? cast.arg : array, 'A_ArrayExpr')?.elements;
  if (!elements) {
    draft.takeValue(array, { column, role: `${role}-each` });
    return;
  }
  if (cast && !draft.takeCast(cast, column, true)) throw fromElsewhere(column);
  for (const element of elements) draft.takeValue(element, { column, role });
}
