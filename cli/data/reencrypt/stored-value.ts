/** Which key a stored cell is under, by its own bytes (acra-server contract 9.1), and whether what was read of it is what it holds. */
import { blockFacts, MAX_FACTS_BYTES, searchHashAt } from '../../../acra/container.ts';
import type { EncryptedColumn } from '../../../acra/encryptor-config/schema.ts';
import { containerIn } from '../../../acra/engine/check.ts';
import { isStoredForm } from '../../../acra/engine/stored-form.ts';
import type { KnownKeyIds } from '../../../keys/key-ids-file.ts';
import type { Cell } from '../connection.ts';
import { isDefault, isUnopened } from '../verify/stored-cell.ts';

/**
 * - `empty`: NULL, or no bytes.
 * - `current`: under the client's key.
 * - `old`: under a key that it had before, or in an AcraStruct, which a column of AcraBlocks has no more.
 * - `other`: under none of the client's keys that are known.
 * - `form`: no container of which it could be told.
 * - `untold`: an AcraStruct in a column of these, which does not say its key.
 */
export type KeyState = 'empty' | 'current' | 'old' | 'other' | 'form' | 'untold';

export interface StoredValue {
  readonly state: KeyState;
  /** Of what it holds, where that is told. */
  readonly plaintextBytes?: number;
}

export const bytesOfHex = (text: string): Buffer => Buffer.from(text.startsWith('\\x') ? text.slice(2) : '', 'hex');

function stateOf({ current, old }: KnownKeyIds, keyId: string): KeyState {
  if (keyId === current) return 'current';
  return old.includes(keyId) ? 'old' : 'other';
}

/** @param bytes all of the cell */
export function storedValue(ids: KnownKeyIds, of: EncryptedColumn, bytes: Buffer): StoredValue {
  if (bytes.length === 0) return { state: 'empty' };
  const hash = searchHashAt(bytes);
  const rest = bytes.subarray(hash?.length ?? 0);
  if ((hash !== undefined) !== of.searchable || !isStoredForm({ ...of, searchable: false }, rest))
    return { state: 'form' };
  const container = containerIn(of, bytes);
  const facts = blockFacts(container.subarray(0, MAX_FACTS_BYTES));
  if (!facts) return { state: of.envelope === 'acrastruct' ? 'untold' : 'old' };
  const openBytes = rest.length - container.length;
  return { state: stateOf(ids, facts.keyId), plaintextBytes: facts.plaintextBytes + (of.searchable ? 0 : openBytes) };
}

export function storedCell(ids: KnownKeyIds, of: EncryptedColumn, cell: Cell): StoredValue {
  return cell === null || cell === '' ? { state: 'empty' } : storedValue(ids, of, bytesOfHex(cell));
}

/** Why a value must not be written back: what was read is not, or may not be, what is stored. */
export type Doubt = 'foreign' | 'default';

/** Where it does not open, the pattern stands for the rest (masking/masker.go). */
function isMasked({ masking }: EncryptedColumn, opened: Buffer): boolean {
  if (!masking) return false;
  const { pattern, plaintextBytes, side } = masking;
  const isPattern = (bytes: Buffer) => bytes.equals(Buffer.from(pattern));
  const open = Math.min(plaintextBytes, opened.length);
  return (
    isPattern(opened) || isPattern(side === 'left' ? opened.subarray(open) : opened.subarray(0, opened.length - open))
  );
}

const hasLength = ({ dataType }: EncryptedColumn) => dataType !== 'int32' && dataType !== 'int64';

/** @param opened as bytes of the value, for columns that are no integers */
export function doubtOfBytes(of: EncryptedColumn, value: StoredValue, opened: Buffer): Doubt | undefined {
  if (value.plaintextBytes !== undefined && hasLength(of) && opened.length !== value.plaintextBytes) return 'foreign';
  return isMasked(of, opened) ? 'default' : undefined;
}

/** @param stored all of the cell @param opened as text of PostgreSQL's */
export function doubtOf(of: EncryptedColumn, value: StoredValue, stored: Buffer, opened: string): Doubt | undefined {
  if (isUnopened(opened, stored)) return 'foreign';
  if (isDefault(of, opened)) return 'default';
  const isBytes = (of.dataType ?? 'bytes') === 'bytes';
  return doubtOfBytes(of, value, isBytes ? bytesOfHex(opened) : Buffer.from(opened));
}
