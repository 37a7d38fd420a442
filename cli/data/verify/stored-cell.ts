/** What a cell of a protected column must be as it is stored (acra-server contract 4.3, 9.1): by its bytes alone. */
import { searchHashAt } from '../../../acra/container.ts';
import type { EncryptedColumn } from '../../../acra/encryptor-config/schema.ts';
import { isStoredForm } from '../../../acra/engine/stored-form.ts';
import { encodeBytea } from '../../../postgres/bytea.ts';

/**
 * - `plaintext`: no container, or more than one.
 * - `unhashed`: without the hash in front of it that a searchable column has, or with one where the column has none.
 * - `foreign`: it does not open: of other keys, damaged, or (to acra-server) behind another value's hash.
 * - `default`: what it opens to is what the column shows for what does not open.
 * - `hash`: it is not found by its own value.
 * - `unreadable`: the enclave refuses to read it.
 * - `unlike`: the database shows it, or its row, in one of two sessions that see the same moment, and not in the other.
 */
export const FAULTS = ['plaintext', 'unhashed', 'foreign', 'default', 'hash', 'unreadable', 'unlike'] as const;
export type Fault = (typeof FAULTS)[number];

/** @param bytes not empty: an empty value is stored as it is */
export function faultOf(column: EncryptedColumn, bytes: Buffer): Fault | undefined {
  const hash = searchHashAt(bytes);
  // With its hash or without: which of the two it should be is the next question.
  if (!isStoredForm({ ...column, searchable: false }, bytes.subarray(hash?.length ?? 0))) return 'plaintext';
  return (hash !== undefined) === column.searchable ? undefined : 'unhashed';
}

/** What a client sees of a cell that was not opened: bytea's text, or the bytes as text. */
export const isUnopened = (opened: string, stored: Buffer): boolean =>
  opened === encodeBytea(stored) || opened === stored.toString('utf8');

/** Base64 for `bytes`. */
function defaultOf({ onFail, defaultValue, dataType }: EncryptedColumn): string | Buffer | undefined {
  if (onFail !== 'default_value' || defaultValue === undefined) return undefined;
  const isText = dataType === 'str' || dataType === 'int32' || dataType === 'int64';
  return isText ? defaultValue : Buffer.from(defaultValue, 'base64');
}

export function isDefault(of: EncryptedColumn, opened: string): boolean {
  const expected = defaultOf(of);
  return expected !== undefined && opened === (Buffer.isBuffer(expected) ? encodeBytea(expected) : expected);
}

/** The same of what came in binary. */
export function isDefaultBytes(of: EncryptedColumn, opened: Buffer): boolean {
  const expected = defaultOf(of);
  return expected !== undefined && (Buffer.isBuffer(expected) ? expected : Buffer.from(expected)).equals(opened);
}
