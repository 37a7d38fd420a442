/**
 * Seals any secret under the master key, so that it can lie in the image and opens only where the key is: the private
 * key of the enclave's TLS certificate, passwords or verifiers of database users. The form is that of Acra's own key files (acra-server contract 9.2).
 */
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { useMasterKey } from './master-key.ts';
import { themis } from './themis.ts';

/** Context of the TLS key's file; a sealed file opens under no other context. */
export const TLS_KEY_CONTEXT = 'tls/server.key';

/** Context of the files with a database user's secrets, so that none takes the place of another user's. */
export function databaseUserContext(user: string): string {
  return `database/user/${user}`;
}

/** @throws KeystoreError KEYSTORE_MASTER_KEY_LENGTH, KEYSTORE_NOTHING_TO_SEAL */
export function sealFile(options: {
  readonly plaintext: SecretBuffer;
  readonly masterKey: SecretBuffer;
  readonly context: string;
}): Buffer {
  return useMasterKey(options.masterKey, (key) =>
    options.plaintext.use((plaintext) => themis.seal(key, plaintext, options.context)),
  );
}
