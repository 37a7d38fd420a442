/** Encryption context: names and values that must be the same at Encrypt and Decrypt, whatever their order. */
import { ServiceError } from './service-error.ts';

export type EncryptionContext = Readonly<Record<string, string>>;

/** @returns the same bytes for the same pairs, and other bytes for any others: sorted pairs as JSON. */
export function canonicalContext(context: EncryptionContext): Buffer {
  const pairs = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(JSON.stringify(pairs));
}

/**
 * Names of condition keys have no case, so names that differ only by case could not be told apart in a policy.
 * @throws ServiceError ValidationException
 */
export function checkContext(context: EncryptionContext): void {
  const names = Object.keys(context);
  if (new Set(names.map((name) => name.toLowerCase())).size === names.length) return;
  throw new ServiceError('ValidationException', 'Names in the encryption context must differ by more than their case');
}
