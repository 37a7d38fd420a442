/**
 * The cached acra-server: a folder with the image's files, and beside it the lock file that says what they were when
 * they were first pulled. The lock file is what is trusted ever after: it survives the folder, so that a later pull that
 * brings something else under the same name is noticed too.
 */
import { lstat, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errorCode } from '../../runtime/errors.ts';
import { sha256OfFile } from '../../system/files/file-digest.ts';
import { AcraError } from '../errors.ts';
import { ACRA_IMAGE, ACRA_VERSION } from './program.ts';

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const path = z.string().regex(/^(?!\.\.?(?:\/|$))[^/\0]+(?:\/(?!\.\.?(?:\/|$))[^/\0]+)*$/);

const lockSchema = z.strictObject({
  version: z.literal(1),
  image: z.literal(ACRA_IMAGE),
  configDigest: digest,
  layerDigests: z.array(digest),
  /** Of acra-server in the folder. */
  program: path,
  /** Its ELF interpreter in the folder; absent for a static program. */
  interpreter: path.exactOptional(),
  /** Folders that hold shared libraries; '' is the root. */
  libraryFolders: z.array(path.or(z.literal(''))),
  /** SHA-256 of every file. */
  files: z.record(path, hex),
});
export type AcraLock = z.output<typeof lockSchema>;

export const treeFolder = (cacheFolder: string) => join(cacheFolder, `acra-server-${ACRA_VERSION}`);
export const lockFile = (cacheFolder: string) => join(cacheFolder, `acra-server-${ACRA_VERSION}.lock.json`);

/** @throws AcraError ACRA_LOCK_INVALID */
export async function readLock(cacheFolder: string): Promise<AcraLock | undefined> {
  const file = lockFile(cacheFolder);
  try {
    return lockSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined;
    throw new AcraError('ACRA_LOCK_INVALID', `${file} cannot be read`, { cause });
  }
}

export async function writeLock(cacheFolder: string, lock: AcraLock): Promise<void> {
  const file = lockFile(cacheFolder);
  const temporary = `${file}.${process.pid}.new`;
  await writeFile(temporary, `${JSON.stringify(lock, null, 2)}\n`);
  await rename(temporary, file);
}

export async function isPresent(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** @throws AcraError ACRA_CACHE_CHANGED when a file is missing, changed, added, or no plain file */
export async function requireUnchanged(cacheFolder: string, lock: AcraLock): Promise<void> {
  const root = treeFolder(cacheFolder);
  const changed = (what: string) => new AcraError('ACRA_CACHE_CHANGED', `${root}: ${what}`);
  const expected = new Map(Object.entries(lock.files));
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const file = join(entry.parentPath, entry.name);
    const relative = file.slice(root.length + 1);
    const recorded = expected.get(relative);
    if (recorded === undefined || !entry.isFile()) throw changed(`${relative} was not in the image`);
    if ((await sha256OfFile(file)) !== recorded) throw changed(`${relative} has been changed`);
    expected.delete(relative);
  }
  const [missing] = expected.keys();
  if (missing !== undefined) throw changed(`${missing} is missing`);
}
