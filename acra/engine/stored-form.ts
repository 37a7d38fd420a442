/**
 * The form in which a column's values are stored (acra-server contract 4.3, 9.1), for values that come back from where they were: of a
 * dump that was made without opening them. By their bytes alone; whether one opens, only acra-server can say.
 *
 *   searchable   hash (33) | container          masked   open part | container, or container | open part          else   container
 */
import { searchHashAt } from '../container.ts';
import type { EncryptedColumn } from '../encryptor-config/schema.ts';
import { containerIn, isOwnContainer, isWholeContainer } from './check.ts';
import { NO_COLUMN } from './statements.ts';

export const isStoredForm = (of: EncryptedColumn, bytes: Buffer): boolean => isWholeContainer(containerIn(of, bytes));

/** One without its hash, or with that of another key, is not: it gets a new one. @param revealed what acra-server made of it */
function isOpened(of: EncryptedColumn, stored: Buffer, revealed: Buffer): boolean {
  const container = containerIn(of, stored);
  const hash = searchHashAt(stored);
  if (of.searchable && (!hash || searchHashAt(revealed)?.equals(hash))) return false;
  const openBytes = of.masking?.side === 'left' && container !== stored ? of.masking.plaintextBytes : 0;
  return isOwnContainer(container, revealed.subarray(openBytes));
}

type Reveal = (of: EncryptedColumn, cells: readonly Buffer[]) => Promise<readonly Buffer[]>;

/** Whether it opens, in the form in which the column's values are stored. @throws EngineError */
export async function opens(of: EncryptedColumn, stored: Buffer, reveal: Reveal): Promise<boolean> {
  const revealed = await shown(of, stored, reveal);
  return revealed !== undefined && isOpened(of, stored, revealed);
}

/** The same of a value that has no hash before it, in a searchable column either. @throws EngineError */
export async function opensAsValue(of: EncryptedColumn, value: Buffer, reveal: Reveal): Promise<boolean> {
  if (!of.searchable) return opens(of, value, reveal);
  const revealed = await shown(of, value, reveal);
  return revealed !== undefined && isOwnContainer(value, revealed);
}

/**
 * Where a column has a default for what does not open, or masks it, a cell of it does not show that: one of no column, under the same
 * keys, does. A column with keys of its own is asked about one that is damaged as well: what both read alike does not open.
 */
async function shown(of: EncryptedColumn, stored: Buffer, reveal: Reveal): Promise<Buffer | undefined> {
  const isOfIdentity = of.clientId === undefined;
  const others = !isOfIdentity && (of.onFail === 'default_value' || of.masking) ? [damaged(of, stored)] : [];
  const [revealed, ofDamaged] = await reveal(isOfIdentity ? NO_COLUMN : of, [stored, ...others]);
  return revealed && ofDamaged?.equals(revealed) ? undefined : revealed;
}

/** In a byte that its key authenticates. */
function damaged(of: EncryptedColumn, stored: Buffer): Buffer {
  const container = containerIn(of, stored);
  const at = container.byteOffset - stored.byteOffset + container.length - 1;
  const other = Buffer.from(stored);
  other[at] = (other[at] ?? 0) ^ 1;
  return other;
}
