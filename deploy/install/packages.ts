/**
 * The production dependency tree of some packages, as package-lock.json has it and as it is installed. The registry is
 * not asked: an installation must also work offline.
 *
 * Specification: docs.npmjs.com, package-lock.json, lockfileVersion 3 (`packages` is keyed by folder).
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeployError } from '../errors.ts';

type Names = Readonly<Record<string, string>>;

interface LockEntry {
  readonly dependencies?: Names;
  readonly optionalDependencies?: Names;
  readonly peerDependencies?: Names;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

type Lock = Readonly<Record<string, LockEntry>>;

/** Of cbor-x only parts are imported that do without this addon; to compile it takes a compiler. */
const NOT_USED = 'cbor-extract';

/** Node's own search: the package's own node_modules first, then those of the folders above. */
function locate(lock: Lock, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const candidate = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (lock[candidate]) return candidate;
    if (folder === '') return undefined;
    if (!folder.includes('/node_modules/')) folder = '/node_modules/';
  }
}

interface Wanted {
  readonly from: string;
  readonly name: string;
  /** May be missing, such as the binaries of other platforms. */
  readonly optional: boolean;
}

function dependenciesOf(entry: LockEntry, from: string): Wanted[] {
  const wanted = (names: Names | undefined, optional: boolean) =>
    Object.keys(names ?? {})
      .filter((name) => name !== NOT_USED)
      .map((name) => ({ from, name, optional }));
  const required = wanted(entry.dependencies, false).filter(({ name }) => !entry.optionalDependencies?.[name]);
  return [...required, ...wanted(entry.optionalDependencies, true), ...wanted(entry.peerDependencies, true)];
}

/**
 * @param names direct dependencies.
 * @returns folders relative to the project's, sorted.
 * @throws DeployError INSTALL_PACKAGE_MISSING when a package that is needed is not installed.
 */
export function packageFolders(projectFolder: string, names: readonly string[]): readonly string[] {
  const text = readFileSync(join(projectFolder, 'package-lock.json'), 'utf8');
  const lock = (JSON.parse(text) as { readonly packages: Lock }).packages;
  const found = new Set<string>();
  const queue: Wanted[] = names.map((name) => ({ from: '', name, optional: false }));
  for (const { from, name, optional } of queue) {
    const folder = locate(lock, from, name);
    const installed = folder !== undefined && existsSync(join(projectFolder, folder));
    if (!installed && !optional)
      throw new DeployError('INSTALL_PACKAGE_MISSING', `the package ${name} is not installed`);
    if (!installed || found.has(folder)) continue;
    found.add(folder);
    queue.push(...dependenciesOf(lock[folder] ?? {}, folder));
  }
  return [...found].sort();
}

/** Not needed to run: TypeScript (Node strips none in node_modules), source maps, C and C++, documentation, tests, recipes, what tools read. */
const LEFT_OUT =
  /(\.([cm]?ts|map|cc|hh?|S|asm|inc|def|markdown|md|tsbuildinfo|html|sh)|\.test\.[cm]?js|(^|\/)\.[^/]+)$/;
const LEFT_OUT_FOLDER = /(^|\/)(\.[^/]+|__tests__|tests?|bench|benchmarks?|musl_[^/]+)\//;
const LICENCE = /(^|\/)(licen[cs]e|notice|copying)[^/]*$/i;

/** Files of an installed package, relative to its folder; packages that are installed inside it are not its files. */
export function packageFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((name) => !name.startsWith('node_modules/'))
    .filter((name) => LICENCE.test(name) || !(LEFT_OUT.test(name) || LEFT_OUT_FOLDER.test(name)))
    .sort();
}
