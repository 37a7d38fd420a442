/** Reads the import arrows of the source tree as text: which file names which, and whether only for types. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const IMPORT = /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"](\.[^'"]+)['"]/g;
const DYNAMIC = /\bimport\(\s*['"](\.[^'"]+)['"]/g;
const RELATIVE_URL = /new URL\(\s*['"](\.[^'"]+\.ts)['"]/g;

function sourceFiles(folder: string): string[] {
  return readdirSync(join(PROJECT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name).slice(PROJECT.length).split(sep).join('/'));
}

function arrowsOf(file: string): Arrow[] {
  const text = readFileSync(join(PROJECT, file), 'utf8');
  const target = (specifier: string) => posix.normalize(posix.join(dirname(file), specifier));
  const imports = [...text.matchAll(IMPORT)].map((match) => ({
    from: file,
    to: target(match[2] ?? ''),
    typeOnly: match[1] !== undefined,
  }));
  const dynamic = [...text.matchAll(DYNAMIC)].map((match) => ({
    from: file,
    to: target(match[1] ?? ''),
    typeOnly: true,
  }));
  const launched = [...text.matchAll(RELATIVE_URL)].map((match) => ({
    from: file,
    to: target(match[1] ?? ''),
    typeOnly: true,
  }));
  return [...imports, ...dynamic, ...launched];
}

export function readArrows(folders: readonly string[]): Arrow[] {
  return folders.flatMap(sourceFiles).flatMap(arrowsOf);
}
