/**
 * An operator's own share: it lies in a key set that was judged before (judged-set.ts), and is opened with the private key that nobody else
 * has. What does not have the hash that stands in the set is never sent anywhere.
 */
import { open } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { KeeperError } from '../../keys/keepers/errors.ts';
import { readDecryptionKey } from '../../keys/keepers/operator-keys.ts';
import { openOperatorShare } from '../../keys/keepers/operator-share.ts';
import type { KeySet } from '../../keys/set/key-set.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { readPassphrase } from '../measurements/files.ts';

const MAX_KEY_FILE_BYTES = 16 * 1024;
const OTHERS = 0o077;

/** @throws KeeperError KEY_OPERATOR_KEY_INVALID: it cannot be read, or others may read it */
async function readPrivateFile(path: string): Promise<Buffer> {
  const invalid = (message: string, details: object) =>
    new KeeperError('KEY_OPERATOR_KEY_INVALID', `${path}: ${message}`, details);
  const handle = await open(resolve(path)).catch((cause: unknown) => {
    throw invalid('it cannot be read', { cause });
  });
  try {
    const { mode, size } = await handle.stat();
    if ((mode & OTHERS) !== 0) {
      throw invalid('others may read it', { found: `mode ${(mode & 0o777).toString(8)}`, allowed: 'mode 600' });
    }
    if (size > MAX_KEY_FILE_BYTES) throw invalid('it is too large for a key', { found: `${size} bytes` });
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/**
 * @param key file of the private key; the passphrase's where it is encrypted
 * @throws KeeperError KEY_OPERATOR_KEY_INVALID, KEY_OPERATOR_KEY_ENCRYPTED, KEY_SHARE_…; KeyError KEY_SET_OTHER_KEEPER
 */
export async function openOwnShare(
  set: KeySet,
  { key, passphraseFile }: { readonly key: string; readonly passphraseFile?: string },
): Promise<{ readonly operator: string; readonly share: SecretBuffer }> {
  const pem = await readPrivateFile(key);
  try {
    using passphrase = passphraseFile === undefined ? undefined : readPassphrase(passphraseFile);
    return await openOperatorShare(set, readDecryptionKey(basename(key), pem, passphrase));
  } finally {
    pem.fill(0);
  }
}
