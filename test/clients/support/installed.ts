/** What scripts/install-clients.sh has put into build/clients, and why a language is not there. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE_FOLDER } from './results.ts';

export const installed = (path: string): string => join(CACHE_FOLDER, path);

/** @returns undefined when what is wanted of a language is there; else why it is not */
export function lackOf(language: string, path: string): string | undefined {
  const reason = installed(`${language}.missing`);
  if (existsSync(reason)) return readFileSync(reason, 'utf8').trim();
  return existsSync(installed(path)) ? undefined : 'not installed: scripts/install-clients.sh does it';
}

/** The only file of the pattern. @throws Error when there is none or more than one */
export function onlyInstalled(pattern: string): string {
  const [file, ...more] = globSync(pattern, { cwd: CACHE_FOLDER });
  if (file === undefined || more.length > 0) throw new Error(`${pattern}: there are ${more.length} too many, or none`);
  return installed(file);
}
