/** What a cell of a protected column must be as it is stored (acra-server contract 4.3, 9.1): by its bytes alone. */
import { acraBlockLength, containerAt, isAcraStruct, searchHashAt } from '../../../acra/container.ts';
import type { EncryptedColumn } from '../../../acra/encryptor-config/schema.ts';

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

/** What an application encrypted itself stands there as it came, of either kind, or in no container (acra/belts/check.ts). */
function isEncrypted(bytes: Buffer): boolean {
  const container = containerAt(bytes);
  const body = container?.end === bytes.length ? container.body : bytes;
  return acraBlockLength(body) === body.length || isAcraStruct(body);
}

/** Beside what masking leaves open; all of it where the value was too short for that. */
function containerIn({ masking }: EncryptedColumn, bytes: Buffer): Buffer {
  if (!masking || isEncrypted(bytes)) return bytes;
  const { plaintextBytes, side } = masking;
  return side === 'left'
    ? bytes.subarray(plaintextBytes)
    : bytes.subarray(0, Math.max(0, bytes.length - plaintextBytes));
}

/** @param bytes not empty: an empty value is stored as it is */
export function faultOf(column: EncryptedColumn, bytes: Buffer): Fault | undefined {
  const hash = searchHashAt(bytes);
  if (!isEncrypted(containerIn(column, bytes.subarray(hash?.length ?? 0)))) return 'plaintext';
  return (hash !== undefined) === column.searchable ? undefined : 'unhashed';
}

/** What a client sees of a cell that was not opened: bytea's text, or the bytes as text. */
export const isUnopened = (opened: string, stored: Buffer): boolean =>
  opened === `\\x${stored.toString('hex')}` || opened === stored.toString('utf8');

/** Base64 for `bytes`. */
export function isDefault({ onFail, defaultValue, dataType }: EncryptedColumn, opened: string): boolean {
  if (onFail !== 'default_value' || defaultValue === undefined) return false;
  const isText = dataType === 'str' || dataType === 'int32' || dataType === 'int64';
  return opened === (isText ? defaultValue : `\\x${Buffer.from(defaultValue, 'base64').toString('hex')}`);
}
