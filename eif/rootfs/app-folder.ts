/**
 * The file system of an application out of the measured folder's own sub-folder `app/`: for programs that need little more than themselves.
 * Plain files and folders only, root's, executable where they are so on disk. Container images come in by eif/oci/.
 */
import { lstat, readdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { AppEnclaveConfig } from '../../config/app/app-enclave.ts';
import { candidatesOf } from '../../system/processes/candidates.ts';
import { APP_FOLDER } from '../../wire/image-layout.ts';
import { EifBuildError } from '../build-errors.ts';
import {
  FILE_MODE,
  FOLDER_MODE,
  PROGRAM_MODE,
  type RamdiskContent,
  type RootfsFile,
  type RootfsFolder,
} from './content.ts';

/** Key of the application in the bill of materials. */
export const APPLICATION_COMPONENT = 'application';

/** What the enclave mounts over (supervisor/machine/application.ts). */
const PLACES: readonly RootfsFolder[] = [
  { name: 'dev', mode: 0o755 },
  { name: 'proc', mode: 0o555 },
  { name: 'run', mode: 0o755 },
  { name: 'sys', mode: 0o555 },
  { name: 'tmp', mode: 0o1777 },
];
/** Written by the enclave. */
const WRITTEN = ['etc/hosts', 'etc/resolv.conf'];
const FORBIDDEN_MODE = 0o6002;
const EXECUTABLE = 0o111;

/**
 * Relative to the application's root.
 * @param folder the measured folder
 * @throws EifBuildError EIF_BUILD_NO_PROGRAMS, EIF_BUILD_PROGRAM_MISSING, EIF_BUILD_FOLDER_READ, EIF_BUILD_FILE_TYPE, EIF_BUILD_FILE_MODE
 */
export async function appFolder(folder: string, config: Pick<AppEnclaveConfig, 'programs'>): Promise<RamdiskContent> {
  const root = join(folder, APP_FOLDER);
  const stats = await lstat(root).catch(() => undefined);
  if (stats?.isDirectory() !== true)
    throw new EifBuildError('EIF_BUILD_NO_PROGRAMS', 'there is no file system for the application', {
      found: `no folder ${root}`,
      allowed: `a container image (--image), or a folder ${APP_FOLDER}/ beside enclave.yaml`,
    });
  const files: RootfsFile[] = [];
  const folders: RootfsFolder[] = [];
  await visit(root, '', files, folders);
  requirePrograms(files, config);
  const given = (name: string) => [...files, ...folders].some((entry) => entry.name === name);
  const written = WRITTEN.filter((name) => !given(name)).map((name): RootfsFile => {
    return { name, mode: FILE_MODE, source: { bytes: Buffer.alloc(0) }, component: APPLICATION_COMPONENT };
  });
  return {
    files: [...files, ...written],
    folders: [...folders.filter(({ name }) => !PLACES.some((place) => place.name === name)), ...PLACES],
  };
}

async function visit(root: string, path: string, files: RootfsFile[], folders: RootfsFolder[]): Promise<void> {
  const full = join(root, path);
  for (const name of (await readdir(full).catch(unreadable(full))).toSorted()) {
    const inside = posix.join(path, name);
    const stats = await lstat(join(root, inside)).catch(unreadable(join(root, inside)));
    if (!stats.isFile() && !stats.isDirectory())
      throw new EifBuildError('EIF_BUILD_FILE_TYPE', `${join(root, inside)} cannot be taken into the application`, {
        allowed: 'a plain file or a folder; a container image (--image) may have links',
      });
    if (stats.isFile() && (stats.mode & FORBIDDEN_MODE) !== 0)
      throw new EifBuildError('EIF_BUILD_FILE_MODE', `${join(root, inside)} could have been changed by anybody`, {
        found: `mode ${(stats.mode & 0o7777).toString(8)}`,
        allowed: 'not writable by others, no set-id bits',
      });
    if (stats.isDirectory()) {
      folders.push({ name: inside, mode: FOLDER_MODE });
      await visit(root, inside, files, folders);
    } else {
      const mode = (stats.mode & EXECUTABLE) === 0 ? FILE_MODE : PROGRAM_MODE;
      files.push({ name: inside, mode, source: { path: join(root, inside) }, component: APPLICATION_COMPONENT });
    }
  }
}

function unreadable(path: string): (cause: unknown) => never {
  return (cause) => {
    throw new EifBuildError('EIF_BUILD_FOLDER_READ', `cannot read ${path}`, { cause });
  };
}

/** As the launcher will look for them (system/processes/launch-place.ts). @throws EifBuildError EIF_BUILD_PROGRAM_MISSING */
function requirePrograms(files: readonly RootfsFile[], { programs }: Pick<AppEnclaveConfig, 'programs'>): void {
  for (const [name, { command, environment, workingFolder }] of Object.entries(programs)) {
    const [program = ''] = command;
    const places = candidatesOf(program, environment['PATH']).map((place) => posix.resolve(workingFolder, place));
    const found = places.map((place) => files.find((file) => `/${file.name}` === place));
    if (found.some((file) => file?.mode === PROGRAM_MODE)) continue;
    const there = found.find((file) => file !== undefined);
    throw new EifBuildError('EIF_BUILD_PROGRAM_MISSING', `program ${name} is not in the application’s file system`, {
      found: there === undefined ? `no ${places.join(', ')}` : `/${there.name} is not executable`,
      allowed: 'an executable file',
    });
  }
}
