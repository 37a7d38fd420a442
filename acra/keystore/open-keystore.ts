/** Reads a keystore whole and opens its keys one by one, for what makes another keystore of it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError } from '../../runtime/errors.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { KeystoreError } from '../errors.ts';
import { checkKeystore } from './check.ts';
import type { KeyFile } from './layout.ts';
import { listKeystore } from './listing.ts';
import { useMasterKey } from './master-key.ts';
import { requireSoundKeystore } from './report.ts';
import type { Themis } from './themis.ts';
import type { KeyContent } from './write-keystore.ts';

async function readKey(folder: string, file: KeyFile): Promise<KeyContent> {
  try {
    return { file, content: await readFile(join(folder, file.path)) };
  } catch (cause) {
    const message = `${file.path} cannot be read: ${describeError(cause)}`;
    throw new KeystoreError('KEYSTORE_PERMISSION', message, { cause });
  }
}

/**
 * Every file of a keystore that is sound and opens with this master key, as it lies there. Modes are not looked at: a checkout has others
 * than an image.
 * @throws KeystoreError with the code of the first finding
 */
export async function readKeystore(folder: string, masterKey: SecretBuffer): Promise<readonly KeyContent[]> {
  const report = await checkKeystore({ folder, masterKey });
  const findings = report.findings.filter(({ code }) => code !== 'KEYSTORE_PERMISSION');
  requireSoundKeystore({ ...report, findings });
  const { files } = await listKeystore(folder);
  return Promise.all(files.map((file) => readKey(folder, file)));
}

/**
 * Lends the key in a private file, and zeroes it.
 * @throws KeystoreError KEYSTORE_FILE_DAMAGED when it does not open
 */
export function useKey<Result>(
  themis: Themis,
  masterKey: SecretBuffer,
  { file, content }: KeyContent,
  borrow: (key: Buffer) => Result,
): Result {
  const key = useMasterKey(masterKey, (master) => themis.open(master, content, file.context ?? ''));
  if (key === undefined) throw new KeystoreError('KEYSTORE_FILE_DAMAGED', `${file.path} does not open any more`);
  try {
    return borrow(key);
  } finally {
    key.fill(0);
  }
}
