/** acra-server takes any master key of 32 bytes or more, a KMS ciphertext included (acra-server contract 1.1): we don't. */
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { KeystoreError } from '../errors.ts';
import { MASTER_KEY_BYTES } from './layout.ts';

/** @throws KeystoreError KEYSTORE_MASTER_KEY_LENGTH */
export function requireMasterKeyLength(length: number): void {
  if (length === MASTER_KEY_BYTES) return;
  throw new KeystoreError('KEYSTORE_MASTER_KEY_LENGTH', 'the master key has the wrong length', {
    found: `${length} bytes`,
    allowed: `${MASTER_KEY_BYTES} bytes`,
  });
}

/** Lends the key's bytes. @throws KeystoreError KEYSTORE_MASTER_KEY_LENGTH */
export function useMasterKey<Result>(masterKey: SecretBuffer, borrow: (key: Buffer) => Result): Result {
  requireMasterKeyLength(masterKey.length);
  return masterKey.use(borrow);
}
