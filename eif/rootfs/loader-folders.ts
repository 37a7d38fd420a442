/** The folders that a system's administrator added to the loader's search (ld.so.conf, ldconfig(8)). */
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { findInSystem } from './system-path.ts';

/** What cannot be read adds nothing: a library that is then not found is an error of its own. */
async function readLines(system: string, path: string): Promise<readonly string[]> {
  const file = await findInSystem(system, path);
  const text = file === undefined ? '' : await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').map((line) => line.replace(/#.*/, '').trim());
}

/** `include /etc/ld.so.conf.d/*.conf`; a star in the name is the only pattern in use. */
async function included(system: string, pattern: string): Promise<readonly string[]> {
  const folder = await findInSystem(system, dirname(pattern));
  const [before = '', after = ''] = basename(pattern).split('*');
  const names = folder === undefined ? [] : await readdir(folder).catch((): string[] => []);
  return names
    .filter((name) => name.startsWith(before) && name.endsWith(after))
    .toSorted()
    .map((name) => join(dirname(pattern), name));
}

/**
 * @param system root of the system whose libraries are taken, usually "/"
 * @returns absolute folders as that system sees them, in its order
 */
export async function configuredFolders(system: string): Promise<readonly string[]> {
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
