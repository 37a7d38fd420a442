/** What scripts/install-clients.sh has put into build/clients, and why a language is not there. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE_FOLDER } from './results.ts';

/** A path in it. A pattern with `*` becomes what there is of it, for names that a build of a package made up. */
export function installed(path: string): string {
  const [found] = path.includes('*') ? globSync(path, { cwd: CACHE_FOLDER }) : [];
  return join(CACHE_FOLDER, found ?? path);
}

/** @returns undefined when what is wanted of a language is there; else why it is not */
export function lackOf(language: string, path: string): string | undefined {
  const reason = installed(`${language}.missing`);
  if (existsSync(reason)) return readFileSync(reason, 'utf8').trim();
  return existsSync(installed(path)) ? undefined : 'not installed: scripts/install-clients.sh does it';
}
