/**
 * Seals every private key of a keystore under another master key: the data keys stay what they are, current and rotated, and what is
 * stored in the database with them. A new keystore is made beside; the one that there is is not touched.
 */
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { requireMasterKeyLength, useMasterKey } from './master-key.ts';
import { readKeystore, useKey } from './open-keystore.ts';
import { themis } from './themis.ts';
import { refuseExistingKeystore, writeKeystore } from './write-keystore.ts';

export interface RewrapKeysOptions {
  /** The keystore that there is. */
  readonly folder: string;
  /** Of the new keystore; must not exist, its parent must. */
  readonly newFolder: string;
  /** Under which the keystore is. */
  readonly masterKey: SecretBuffer;
  readonly newMasterKey: SecretBuffer;
}

/**
 * The new keystore is there whole when this returns, or not at all. Files keep their names.
 * @throws KeystoreError when the keystore is not sound or does not open with its key; KEYSTORE_MASTER_KEY_LENGTH, KEYSTORE_EXISTS,
 * KEYSTORE_WRITE
 */
export async function rewrapKeys(options: RewrapKeysOptions): Promise<void> {
  const { folder, newFolder, masterKey, newMasterKey } = options;
  requireMasterKeyLength(newMasterKey.length);
  await refuseExistingKeystore(newFolder);
  const contents = await readKeystore(folder, masterKey);
  const files = contents.map(({ file, content }) => {
    const { context } = file;
    if (context === undefined) return { file, content };
    const sealed = useKey(themis, masterKey, { file, content }, (key) =>
      useMasterKey(newMasterKey, (master) => themis.seal(master, key, context)),
    );
    return { file, content: sealed };
  });
  await writeKeystore(newFolder, files);
}
