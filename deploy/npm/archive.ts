/** The archives that npm installs from, made without npm: their bytes follow from the source tree and what package-lock.json names. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { type ArchivedFile, packTarball } from '../archive/tarball.ts';
import { npmPackage } from './contents.ts';
import { buildLibrary } from './library.ts';

const { name: NAME, version: VERSION } = packageJson;

async function withLibrary<Result>(use: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'acra-enclave-library-'));
  try {
    buildLibrary(folder);
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export interface NamedArchive {
  readonly name: string;
  readonly content: Buffer;
}

/** @throws DeployError LIBRARY_COMPILE, PACKAGE_DEPENDENCY, INSTALL_PACKAGE_MISSING, INSTALL_SOURCE_MISSING */
export function npmArchive(projectFolder: string): Promise<NamedArchive> {
  return withLibrary(async (folder) => ({
    name: `${NAME}-${VERSION}.tgz`,
    content: await packTarball(npmPackage(projectFolder, folder)),
  }));
}

/** @throws DeployError LIBRARY_COMPILE */
export function libraryArchive(): Promise<NamedArchive> {
  return withLibrary(async (folder) => ({
    name: `${NAME}-verify-${VERSION}.tgz`,
    content: await packTarball(
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry): ArchivedFile => {
          const path = join(entry.parentPath, entry.name);
          return { name: `package${path.slice(folder.length)}`, mode: 0o644, content: readFileSync(path) };
        }),
    ),
  }));
}
