/** Writes the new files into a folder that does not exist yet: under another name first, so that it is whole or not there. */
import { randomBytes } from 'node:crypto';
import { lstat, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from '../../runtime/errors.ts';
import { CliError } from '../errors.ts';
import { FILES, type FileKey } from './change.ts';

/** Not writable by others: the image build refuses what anybody could have changed. */
const FOLDER_MODE = 0o755;
const FILE_MODE = 0o644;

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return false;
    throw new CliError('CLI_IMPORT_FOLDER', `cannot write ${path}`, { cause });
  }
}

/** @throws CliError CLI_IMPORT_FOLDER */
export async function writeFolder(folder: string, texts: Readonly<Record<FileKey, string>>): Promise<void> {
  if (await exists(folder)) throw new CliError('CLI_IMPORT_FOLDER', `${folder} is there already`);
  const temporary = `${folder}.${randomBytes(6).toString('hex')}.partial`;
  try {
    await mkdir(temporary, { mode: FOLDER_MODE });
    for (const [key, name] of Object.entries(FILES) as [FileKey, string][]) {
      await mkdir(dirname(join(temporary, name)), { recursive: true, mode: FOLDER_MODE });
      await writeFile(join(temporary, name), texts[key], { mode: FILE_MODE, flag: 'wx' });
    }
    await rename(temporary, folder);
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true });
    throw new CliError('CLI_IMPORT_FOLDER', `cannot write ${folder}`, { cause });
  }
}
