/**
 * Reads the import arrows of the source tree as text: which file names which, and how. Every relative path of a file that
 * stands between quotes is an arrow, so that no form of import, nor a program that is started by its name, escapes.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

export interface Arrow {
  readonly from: string;
  readonly to: string;
  /** `load`: with the importing file. `type`: never. `later`: by `import()`, `new URL()` or a name that something else loads. */
  readonly kind: 'load' | 'type' | 'later';
  /** Not loaded together with the file that names it. */
  readonly typeOnly: boolean;
}

export interface PackageArrow {
  readonly from: string;
  /** `@scope/name` or `name`, without what is inside. */
  readonly name: string;
}

const STRING_OR_COMMENT = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/.*$/gm;
const STATEMENT = /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/g;
const ON_DEMAND = /\b(?:import|import\.meta\.resolve|require|require\.resolve)\(\s*['"]([^'"]+)['"]/g;
const PATH = /['"`](\.{1,2}\/[^'"`\s]*\.(?:ts|json))['"`]/g;

/** Installed packages, and tests beside what they test, are no sources. */
const NO_SOURCES = /\/node_modules\/|^deploy\/cdk\/test\//;

/** @param folders of a folder that stands inside of another of the table, files count to the inner one alone */
export function filesOf(folders: readonly string[], suffix = '.ts'): string[] {
  const files = folders.flatMap((folder) =>
    readdirSync(join(PROJECT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(suffix))
      .map((entry) => join(entry.parentPath, entry.name).slice(PROJECT.length).split(sep).join('/')),
  );
  return [...new Set(files)].filter((file) => !NO_SOURCES.test(file));
}

export function readSource(file: string): string {
  return readFileSync(join(PROJECT, file), 'utf8');
}

/** What a comment says is no code; its lines stay, so that numbers of lines do. */
export function withoutComments(text: string): string {
  return text.replace(STRING_OR_COMMENT, (found) => (found.startsWith('/') ? found.replace(/[^\n]/g, '') : found));
}

/** @param file relative to the project, as are the files that the arrows name */
export function arrowsIn(file: string, text: string): Arrow[] {
  const code = withoutComments(text);
  const kinds = new Map<string, Arrow['kind']>();
  for (const [, path] of code.matchAll(PATH)) if (path !== undefined) kinds.set(path, 'later');
  for (const kind of ['type', 'load'] as const) {
    for (const [, type, path] of code.matchAll(STATEMENT)) {
      if (path !== undefined && kinds.has(path) && (type === undefined) === (kind === 'load')) kinds.set(path, kind);
    }
  }
  return [...kinds].map(([path, kind]) => {
    const to = posix.normalize(posix.join(dirname(file), path));
    return { from: file, to, kind, typeOnly: kind !== 'load' };
  });
}

export function packageArrowsIn(file: string, text: string): PackageArrow[] {
  const code = withoutComments(text);
  const specifiers = [...code.matchAll(STATEMENT)].map(([, , specifier]) => specifier ?? '');
  const later = [...code.matchAll(ON_DEMAND)].map(([, specifier]) => specifier ?? '');
  const names = [...specifiers, ...later]
    .filter((specifier) => specifier !== '' && !/^\.|^node:/.test(specifier))
    .map((specifier) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier);
  return [...new Set(names)].map((name) => ({ from: file, name }));
}

export function readArrows(folders: readonly string[]): Arrow[] {
  return filesOf(folders).flatMap((file) => arrowsIn(file, readSource(file)));
}

export function readPackageArrows(folders: readonly string[]): PackageArrow[] {
  return filesOf(folders).flatMap((file) => packageArrowsIn(file, readSource(file)));
}
