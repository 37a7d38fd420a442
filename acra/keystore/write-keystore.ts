/**
 * Writes the files of a keystore v1: complete in a temporary folder first, then renamed into place, so that a folder of that name is
 * always a whole keystore (acra-server contract 2.1, 2.5).
 */
import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from '../../runtime/errors.ts';
import { KeystoreError } from '../errors.ts';
import type { KeyFile } from './layout.ts';
import { FOLDER_MODE, PRIVATE_FILE_MODE, PUBLIC_FILE_MODE } from './layout.ts';

/** A key file and what is written into it: sealed, or a public key. */
export interface KeyContent {
  readonly file: KeyFile;
  readonly content: Buffer;
}

/** @throws KeystoreError KEYSTORE_EXISTS, KEYSTORE_WRITE */
export async function refuseExistingKeystore(folder: string): Promise<void> {
  try {
    await lstat(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw new KeystoreError('KEYSTORE_WRITE', `${folder} cannot be looked at`, { cause: error });
  }
  throw new KeystoreError('KEYSTORE_EXISTS', `${folder} exists already`);
}

/** Modes are set explicitly: acra-server wants exactly these, whatever the umask. */
async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { mode: FOLDER_MODE });
  await chmod(path, FOLDER_MODE);
}

async function syncFolder(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}

async function writeFiles(folder: string, files: readonly KeyContent[]): Promise<void> {
  const within = new Set(files.map(({ file }) => dirname(file.path)).filter((path) => path !== '.'));
  // A folder before what lies in it.
  const folders = [...within, ...[...within].map(dirname).filter((path) => path !== '.')];
  const all = [folder, ...[...new Set(folders)].toSorted().map((path) => join(folder, path))];
  for (const path of all) await makeFolder(path);
  for (const { file, content } of files) {
    const mode = file.context === undefined ? PUBLIC_FILE_MODE : PRIVATE_FILE_MODE;
    await using handle = await open(join(folder, file.path), 'wx', mode);
    await handle.chmod(mode);
    await handle.writeFile(content);
    await handle.sync();
  }
  for (const path of all.toReversed()) await syncFolder(path);
}

/**
 * @param folder must not exist; its parent must. Nothing is left behind when it fails.
 * @throws KeystoreError KEYSTORE_EXISTS, KEYSTORE_WRITE
 */
export async function writeKeystore(folder: string, files: readonly KeyContent[]): Promise<void> {
  const temporary = `${folder}.new-${randomBytes(6).toString('hex')}`;
  try {
    await writeFiles(temporary, files);
    await refuseExistingKeystore(folder);
    await rename(temporary, folder);
    await syncFolder(dirname(folder));
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if (error instanceof KeystoreError) throw error;
    throw new KeystoreError('KEYSTORE_WRITE', `the keystore cannot be written to ${folder}`, { cause: error });
  }
}
