/**
 * Takes the keys away that clients had before they were rotated. What is under them is lost, wherever it is: it must have been encrypted
 * anew before. A new keystore is made beside; the one that there is is not touched.
 */
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import type { KeyFile } from './layout.ts';
import { readKeystore } from './open-keystore.ts';
import { refuseExistingKeystore, writeKeystore } from './write-keystore.ts';

interface ForgetKeysOptions {
  /** The keystore that there is. */
  readonly folder: string;
  /** Of the new keystore; must not exist, its parent must. */
  readonly newFolder: string;
  readonly masterKey: SecretBuffer;
  readonly clientIds: readonly string[];
  /** Old key pairs stay: AcraStructs do not say which one they are for. */
  readonly keepsPairs: boolean;
}

/**
 * The new keystore is there whole when this returns, or not at all.
 * @returns paths of the files that are not in it
 * @throws KeystoreError when the keystore is not sound or does not open with this key; KEYSTORE_EXISTS, KEYSTORE_WRITE
 */
export async function forgetKeys(options: ForgetKeysOptions): Promise<readonly string[]> {
  const { folder, newFolder, masterKey, clientIds, keepsPairs } = options;
  await refuseExistingKeystore(newFolder);
  const isForgotten = ({ rotated, clientId, purpose }: KeyFile) =>
    rotated &&
    clientId !== undefined &&
    clientIds.includes(clientId) &&
    (purpose === 'storage-symmetric' ||
      (!keepsPairs && (purpose === 'storage-private' || purpose === 'storage-public')));
  const contents = await readKeystore(folder, masterKey);
  const kept = contents.filter(({ file }) => !isForgotten(file));
  await writeKeystore(newFolder, kept);
  return contents.filter((each) => !kept.includes(each)).map(({ file }) => file.path);
}
