/** The project at another path, as far as building an image needs it: by hard links where the file system allows them. */
import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SOURCE_FOLDERS } from '../../../project/source-folders.ts';
import { PROJECT } from './build.ts';

/** What builds an image and what its programs are bundled from. */
const SOURCES = [...SOURCE_FOLDERS, 'package.json', 'test/eif/image/support', 'test/project/source-folders.ts'];
const BUNDLER = /^(?:esbuild|@esbuild\/.*)$/;
/** Installed below a folder of sources: not the product's. */
const PACKAGES = 'node_modules';
const NOTHING = '';

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
}

/** Folders of the installed packages but those that are for development only. */
function packageFolders(): readonly string[] {
  const { packages } = JSON.parse(readFileSync(join(PROJECT, 'package-lock.json'), 'utf8')) as LockFile;
  return Object.entries(packages).flatMap(([folder, { dev = false }]) => {
    const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(folder)?.[1];
    const isNeeded = name !== undefined && (!dev || BUNDLER.test(name));
    return isNeeded && existsSync(join(PROJECT, folder)) ? [folder] : [];
  });
}

/** @param folder made here */
export function linkProject(folder: string): void {
  const link = (path: string, leftOut: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    linkTree(join(PROJECT, path), join(folder, path), leftOut);
  };
  for (const path of SOURCES) link(path, PACKAGES);
  for (const path of packageFolders()) link(path, NOTHING);
}

function linkTree(from: string, to: string, leftOut: string): void {
  if (!statSync(from).isDirectory()) {
    linkFile(from, to);
    return;
  }
  mkdirSync(to);
  for (const name of readdirSync(from)) if (name !== leftOut) linkTree(join(from, name), join(to, name), leftOut);
}

function linkFile(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    // On another file system, or of another user (protected_hardlinks, proc_sys_fs(5)).
    copyFileSync(from, to);
  }
}
