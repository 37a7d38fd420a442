/**
 * Which of our files, and which packages, a program needs at run time: the imports are followed from its main file. Type
 * imports are not: Node strips them. What nothing reaches is not installed.
 */

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { DeployError } from '../errors.ts';

export interface Reached {
  /** Relative to the project's folder, sorted. */
  readonly files: readonly string[];
  /** Names of npm packages, sorted. */
  readonly packages: readonly string[];
}

/** `import … from 'x'`, `export … from 'x'`, `import 'x'`; never `import type`. */
const STATIC = /(?:^|\n)\s*(?:import|export)\s+(?!type\s)(?:[^'";]*?\sfrom\s+)?'([^']+)'/g;
const DYNAMIC = /\bimport\(\s*'([^']+)'\s*\)/g;
const REQUIRED =
  /(?<![#.\w])(?:require|createRequire\([^()]*\)|import\.meta(?=\.resolve))(?:\.resolve)?\(\s*'([^']+)'\s*\)/g;
/** A worker or another program, started by its file name; not what a comment names, nor what is put together at run time. */
const LAUNCHED = /(?:^|\n)(?! \*)[^\n]*\bnew URL\(\s*'(\.[^'$]*[^/'])'\s*,\s*import\.meta\.url/g;

function specifiersOf(text: string): string[] {
  return [STATIC, DYNAMIC, REQUIRED, LAUNCHED].flatMap((form) =>
    [...text.matchAll(form)].map((match) => match[1] ?? ''),
  );
}

/** `@scope/name/inner` and `name/inner` without what is inside. */
function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/**
 * @param projectFolder holds our folders.
 * @param mains files relative to it.
 * @throws DeployError INSTALL_SOURCE_MISSING when a file that is imported does not exist.
 */
export function reachableFrom(projectFolder: string, mains: readonly string[]): Reached {
  const files = new Set(mains);
  const packages = new Set<string>();
  const isThere = (file: string) => existsSync(join(projectFolder, file));
  for (const file of files) {
    if (!file.endsWith('.ts') || !isThere(file)) continue;
    for (const specifier of specifiersOf(readFileSync(join(projectFolder, file), 'utf8'))) {
      if (specifier.startsWith('.')) files.add(posix.normalize(posix.join(dirname(file), specifier)));
      else if (!specifier.startsWith('node:')) packages.add(packageName(specifier));
    }
  }
  const absent = [...files].filter((file) => !isThere(file));
  if (absent.length > 0)
    throw new DeployError('INSTALL_SOURCE_MISSING', `imported, but not there: ${absent.join(', ')}`);
  return { files: [...files].sort(), packages: [...packages].sort() };
}
