/** Installed npm packages: where they lie, which version they are, and which of their files an image needs. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { removeInstallScripts } from '../../runtime/npm-manifest.ts';
import { EifBuildError } from '../build-errors.ts';
import { readSmallFile } from '../input-file.ts';
import { FILE_MODE, type RootfsFile } from './content.ts';

const MAX_MANIFEST_BYTES = 1_048_576;
const manifestSchema = z.object({ name: z.string(), version: z.string(), license: z.string().optional() });

export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression, where the package states one. */
  readonly license: string | undefined;
  readonly folder: string;
}

/** The key of a package in the bill of materials: its package URL (purl-spec, type npm). */
export function packageUrl({ name, version }: Pick<NpmPackage, 'name' | 'version'>): string {
  return `pkg:npm/${name.replace(/^@/, '%40')}@${version}`;
}

/**
 * @param folder of the package itself
 * @throws EifBuildError EIF_BUILD_NODE_MISSING
 */
export async function readPackage(folder: string): Promise<NpmPackage> {
  try {
    const json: unknown = JSON.parse(
      (await readSmallFile(join(folder, 'package.json'), MAX_MANIFEST_BYTES)).toString(),
    );
    const { name, version, license } = manifestSchema.parse(json);
    return { name, version, license, folder };
  } catch (cause) {
    throw new EifBuildError('EIF_BUILD_NODE_MISSING', `${folder} is no installed package`, { cause });
  }
}

/**
 * An installed package by its name: where the project itself is an installed package, npm may put one of a platform beside it.
 * @throws EifBuildError EIF_BUILD_NODE_MISSING
 */
export async function findPackage(projectFolder: string, name: string): Promise<NpmPackage> {
  const here = resolve(projectFolder);
  for (let folder = here; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(candidate)) return readPackage(candidate);
    if (folder === dirname(folder)) return readPackage(join(here, 'node_modules', name));
  }
}

/**
 * Packages that are not bundled, for they read files of their own at run time: koffi looks for its addon beside itself,
 * libpg-query for its WebAssembly. A pattern ends in `*` and the suffix that files must have.
 */
const FILES: Readonly<Record<string, readonly string[]>> = {
  koffi: ['package.json', 'index.js', 'src/koffi/index.js', 'src/koffi/src/static.js'],
  'libpg-query': ['package.json', 'wasm/*.js', 'wasm/*.cjs', 'wasm/*.wasm'],
  '@pgsql/types': ['package.json', '*.js'],
};

/** Packages that those ask for at run time themselves, where a bundler does not see it. */
const NEEDED_BY_UNBUNDLED: Readonly<Record<string, readonly string[]>> = { 'libpg-query': ['@pgsql/types'] };

/** The package and all that it asks for by itself. */
export function withItsNeeds(name: string): readonly string[] {
  return [name, ...(NEEDED_BY_UNBUNDLED[name] ?? [])];
}

export const UNBUNDLED_PACKAGES: readonly string[] = Object.keys(FILES);

/**
 * @param into folder of the image that gets `node_modules/`
 * @throws EifBuildError EIF_BUILD_NODE_MISSING
 */
export async function unbundledFiles(npmPackage: NpmPackage, into: string): Promise<readonly RootfsFile[]> {
  const patterns = FILES[npmPackage.name] ?? [];
  const names = (await Promise.all(patterns.map((pattern) => expand(npmPackage.folder, pattern)))).flat();
  return Promise.all(
    names.map(async (name) => {
      const file = packageFile(npmPackage, name, into);
      return name === 'package.json'
        ? { ...file, source: { bytes: await withoutInstallScript(npmPackage.folder) } }
        : file;
    }),
  );
}

/** The script that npm would run at installation is taken out, as in our own npm package, so that an image built from there is the same. */
async function withoutInstallScript(folder: string): Promise<Buffer> {
  const text = await readSmallFile(join(folder, 'package.json'), MAX_MANIFEST_BYTES);
  return Buffer.from(removeInstallScripts(text.toString()));
}

export function packageFile(npmPackage: NpmPackage, name: string, into: string): RootfsFile {
  return {
    name: `${into}/node_modules/${npmPackage.name}/${name}`,
    mode: FILE_MODE,
    source: { path: join(npmPackage.folder, name) },
    component: packageUrl(npmPackage),
  };
}

async function expand(folder: string, pattern: string): Promise<readonly string[]> {
  const star = pattern.indexOf('*');
  if (star === -1) return [pattern];
  const [inside, suffix] = [pattern.slice(0, star), pattern.slice(star + 1)];
  const names = await readdir(join(folder, inside)).catch((cause: unknown) => {
    throw new EifBuildError('EIF_BUILD_NODE_MISSING', `${folder} is incomplete`, { cause });
  });
  return names
    .filter((name) => name.endsWith(suffix))
    .toSorted()
    .map((name) => `${inside}${name}`);
}
