/**
 * Takes the measured folder into the image: exactly the files that its enclave.yaml names, with modes and owners by rule.
 * Whatever else lies there (a private key, an editor's copy) stops the build, and so does what anybody could have changed.
 */
import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { anyEnclaveSchema } from '../../config/any-enclave.ts';
import { loadConfig } from '../../config/load.ts';
import { ENCLAVE_FOLDER } from '../../wire/image-layout.ts';
import { EifBuildError } from '../build-errors.ts';
import type { RamdiskContent, RootfsFile, RootfsFolder } from './content.ts';
import { type MeasuredFiles, measuredFiles } from './measured-files.ts';

/** Key of the configuration in the bill of materials. */
export const CONFIGURATION_COMPONENT = 'configuration';

/** Writable by others; for files also set-user-id and set-group-id, which folders have for another reason. */
const FORBIDDEN_FOLDER_MODE = 0o0002;
const FORBIDDEN_FILE_MODE = 0o6002;

/**
 * @throws EifBuildError EIF_BUILD_FOLDER_READ, EIF_BUILD_FILE_TYPE, EIF_BUILD_FILE_MODE, EIF_BUILD_FILE_EXTRA,
 * EIF_BUILD_FILE_MISSING; ConfigError for enclave.yaml
 */
export async function measuredFolder(folder: string): Promise<RamdiskContent> {
  await checkEntry(folder, '');
  await checkEntry(folder, 'enclave.yaml').catch(refuseMissing('enclave.yaml'));
  const rules = measuredFiles(loadConfig(anyEnclaveSchema, join(folder, 'enclave.yaml')));
  const collector = new Collector(folder, rules);
  await collector.visit('');
  const names = collector.files.map(({ name }) => name.slice(ENCLAVE_FOLDER.length + 1));
  const { required, keystore } = rules;
  for (const path of required) if (!names.includes(path)) refuseMissing(path)(undefined);
  if (keystore !== undefined && !names.some((name) => name.startsWith(`${keystore}/`)))
    refuseMissing(`a key in ${keystore}`)(undefined);
  return collector;
}

function refuseMissing(path: string): (cause: unknown) => never {
  return (cause) => {
    if (cause instanceof EifBuildError && cause.code !== 'EIF_BUILD_FOLDER_READ') throw cause;
    throw new EifBuildError('EIF_BUILD_FILE_MISSING', `${path} is not in the measured folder`, { cause });
  };
}

async function checkEntry(folder: string, path: string): Promise<Stats> {
  const full = join(folder, path);
  const stats = await lstat(full).catch(unreadable(full));
  if (!stats.isFile() && !stats.isDirectory()) {
    throw new EifBuildError('EIF_BUILD_FILE_TYPE', `${full} cannot be measured`, {
      found: describeType(stats),
      allowed: 'a plain file or a folder',
    });
  }
  if ((stats.mode & (stats.isFile() ? FORBIDDEN_FILE_MODE : FORBIDDEN_FOLDER_MODE)) !== 0) {
    throw new EifBuildError('EIF_BUILD_FILE_MODE', `${full} could have been changed by anybody`, {
      found: `mode ${(stats.mode & 0o7777).toString(8).padStart(4, '0')}`,
      allowed: 'not writable by others, no set-id bits',
    });
  }
  return stats;
}

function unreadable(path: string): (cause: unknown) => never {
  return (cause) => {
    throw new EifBuildError('EIF_BUILD_FOLDER_READ', `cannot read ${path}`, { cause });
  };
}

function describeType(stats: Stats): string {
  if (stats.isSymbolicLink()) return 'a symbolic link';
  if (stats.isCharacterDevice() || stats.isBlockDevice()) return 'a device';
  return stats.isFIFO() ? 'a pipe' : 'a socket';
}

class Collector implements RamdiskContent {
  readonly files: RootfsFile[] = [];
  readonly folders: RootfsFolder[] = [];
  readonly #folder: string;
  readonly #rules: MeasuredFiles;

  constructor(folder: string, rules: MeasuredFiles) {
    this.#folder = folder;
    this.#rules = rules;
  }

  async visit(path: string): Promise<void> {
    const full = join(this.#folder, path);
    const entries: Dirent[] = await readdir(full, { withFileTypes: true }).catch(unreadable(full));
    for (const { name } of entries) await this.#take(path === '' ? name : `${path}/${name}`);
  }

  async #take(path: string): Promise<void> {
    const stats = await checkEntry(this.#folder, path);
    const isFolder = stats.isDirectory();
    if (isFolder && path === this.#rules.beside) return;
    const entry = this.#rules.entryOf(isFolder ? 'folder' : 'file', path);
    if (entry === undefined) {
      throw new EifBuildError('EIF_BUILD_FILE_EXTRA', `${join(this.#folder, path)} belongs to no enclave`, {
        allowed: 'enclave.yaml, what it names, and the keystore, unless the parent instance keeps the keys',
      });
    }
    const named = { name: `${ENCLAVE_FOLDER}/${path}`, ...entry };
    if (isFolder) {
      this.folders.push(named);
      await this.visit(path);
      return;
    }
    this.files.push({ ...named, source: { path: join(this.#folder, path) }, component: CONFIGURATION_COMPONENT });
  }
}
