/** The folders that a system's administrator added to the loader's search (ld.so.conf, ldconfig(8)). */
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { findInSystem } from './system-path.ts';

/** The text files of a system; what cannot be read adds nothing: a library that is then not found is an error of its own. */
export interface SystemTexts {
  /** Empty where there is no such file. */
  read(path: string): Promise<string>;
  /** Names in a folder; none where there is no such folder. */
  list(folder: string): Promise<readonly string[]>;
}

/** @param system root of it on this machine */
function textsOf(system: string): SystemTexts {
  return {
    async read(path) {
      const file = await findInSystem(system, path);
      return file === undefined ? '' : await readFile(file, 'utf8').catch(() => '');
    },
    async list(path) {
      const folder = await findInSystem(system, path);
      return folder === undefined ? [] : await readdir(folder).catch((): string[] => []);
    },
  };
}

async function readLines(system: SystemTexts, path: string): Promise<readonly string[]> {
  return (await system.read(path)).split('\n').map((line) => line.replace(/#.*/, '').trim());
}

/** `include /etc/ld.so.conf.d/*.conf`; a star in the name is the only pattern in use. */
async function included(system: SystemTexts, pattern: string): Promise<readonly string[]> {
  const [before = '', after = ''] = basename(pattern).split('*');
  return (await system.list(dirname(pattern)))
    .filter((name) => name.startsWith(before) && name.endsWith(after))
    .toSorted()
    .map((name) => join(dirname(pattern), name));
}

/**
 * @param system root of the system whose libraries are taken, usually "/"
 * @returns absolute folders as that system sees them, in its order
 */
export async function configuredFolders(system: string): Promise<readonly string[]> {
  return foldersConfiguredIn(textsOf(system));
}

/** The same of a system that is no folder of this machine. */
export async function foldersConfiguredIn(system: SystemTexts): Promise<readonly string[]> {
  const folders: string[] = [];
  for (const line of await readLines(system, '/etc/ld.so.conf')) {
    if (line.startsWith('/')) folders.push(line);
    const include = /^include\s+(\S+)/.exec(line)?.[1];
    if (include === undefined) continue;
    for (const file of await included(system, include)) {
      folders.push(...(await readLines(system, file)).filter((each) => each.startsWith('/')));
    }
  }
  return folders;
}
