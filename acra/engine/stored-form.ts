/**
 * The form in which a column's values are stored (acra-server contract 4.3, 9.1), for values that come back from where they were: of a
 * dump that was made without opening them. By their bytes alone; whether one opens, only acra-server can say.
 *
 *   searchable   hash (33) | container          masked   open part | container, or container | open part          else   container
 */
import { searchHashAt } from '../container.ts';
import type { EncryptedColumn } from '../encryptor-config/schema.ts';
import { isOwnContainer, isWholeContainer } from './check.ts';
import { NO_COLUMN } from './statements.ts';

/** What is behind the hash, or beside what masking leaves open; the bytes themselves where there is none of these. */
export function containerIn({ searchable, masking }: EncryptedColumn, stored: Buffer): Buffer {
  if (searchable) return stored.subarray(searchHashAt(stored)?.length ?? 0);
  if (!masking || isWholeContainer(stored)) return stored;
  const { plaintextBytes, side } = masking;
  return side === 'left'
    ? stored.subarray(plaintextBytes)
    : stored.subarray(0, Math.max(0, stored.length - plaintextBytes));
}

export const isStoredForm = (of: EncryptedColumn, bytes: Buffer): boolean => isWholeContainer(containerIn(of, bytes));

/** One without its hash, or with that of another key, is not: it gets a new one. @param revealed what acra-server made of it */
export function isOpened(of: EncryptedColumn, stored: Buffer, revealed: Buffer): boolean {
  const container = containerIn(of, stored);
  const hash = searchHashAt(stored);
  if (of.searchable && (!hash || searchHashAt(revealed)?.equals(hash))) return false;
  const openBytes = of.masking?.side === 'left' && container !== stored ? of.masking.plaintextBytes : 0;
  return isOwnContainer(container, revealed.subarray(openBytes));
}

/** Where a column has a default for what does not open, a cell of it does not show that: one of no column, under the same keys, does. */
export const asAnyColumn = (of: EncryptedColumn): EncryptedColumn => (of.clientId === undefined ? NO_COLUMN : of);
