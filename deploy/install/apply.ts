/** Carries out a plan, and takes an installation away again. */
import { existsSync, lstatSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode } from '../../runtime/errors.ts';
import type { Manifest } from './manifest.ts';
import { EMPTY_MANIFEST, formatManifest, readManifest, sha256 } from './manifest.ts';
import { makeFolder, placeFile, placeLink, placeText } from './place.ts';
import type { Layout, PlannedConfig, PlannedEntry } from './plan.ts';
import { libraryFolder } from './plan.ts';

const manifestPath = (layout: Layout) => join(libraryFolder(layout), 'manifest.json');

/** @returns the digest of what stands there now if it is ours, else undefined. */
function placeConfig(target: string, entry: PlannedConfig, before: Manifest): string | undefined {
  if (existsSync(target)) return before.configs[entry.target];
  placeText(target, entry.text, 0o644);
  return sha256(entry.text);
}

function foldersAbove(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_part, index) => parts.slice(0, index + 1).join('/'));
}

/** Empty folders only, innermost first; one that holds something else stays. */
function removeFolders(root: string, folders: readonly string[]): readonly string[] {
  return folders.toReversed().filter((folder) => {
    try {
      rmdirSync(join(root, folder));
    } catch (error) {
      return errorCode(error) !== 'ENOENT';
    }
    return false;
  });
}

export interface Installed {
  readonly files: number;
  readonly bytes: number;
}

interface Placed {
  readonly folders: ReadonlySet<string>;
  readonly configs: Readonly<Record<string, string>>;
}

function place(root: string, plan: readonly PlannedEntry[], before: Manifest): Placed {
  const folders = new Set(before.folders);
  const configs: Record<string, string> = {};
  for (const entry of plan) {
    const target = join(root, entry.target);
    const made = makeFolder(dirname(target)).filter((folder) => folder.startsWith(`${root}/`));
    for (const folder of made) folders.add(folder.slice(root.length));
    if (entry.kind === 'file') placeFile(target, entry);
    else if (entry.kind === 'link') placeLink(target, entry);
    else {
      const digest = placeConfig(target, entry, before);
      if (digest !== undefined) configs[entry.target] = digest;
    }
  }
  return { folders, configs };
}

/** @param root DESTDIR, absolute or empty: stands before every path, but is written nowhere. */
export function install(root: string, layout: Layout, plan: readonly PlannedEntry[]): Installed {
  const list = join(root, manifestPath(layout));
  const before = readManifest(list);
  const { folders, configs } = place(root, plan, before);
  const files = [...plan.filter(({ kind }) => kind !== 'config').map(({ target }) => target), manifestPath(layout)];
  const kept = new Set(files);
  for (const stale of before.files.filter((path) => !kept.has(path))) rmSync(join(root, stale), { force: true });
  const used = new Set([...files, ...Object.keys(configs)].flatMap(foldersAbove));
  const [ours, emptied] = [
    [...folders].filter((path) => used.has(path)),
    [...folders].filter((path) => !used.has(path)),
  ];
  const left = removeFolders(root, emptied.sort());
  placeText(list, formatManifest({ files, folders: [...ours, ...left].sort(), configs }), 0o644);
  const bytes = files.reduce((sum, path) => sum + lstatSync(join(root, path)).size, 0);
  return { files: files.length, bytes };
}

export interface Removed {
  readonly files: number;
  /** Configuration that was changed, and folders that hold something of others. */
  readonly left: readonly string[];
}

export function uninstall(root: string, layout: Layout): Removed {
  const manifest = readManifest(join(root, manifestPath(layout)));
  if (manifest === EMPTY_MANIFEST) return { files: 0, left: [] };
  const changed = Object.entries(manifest.configs).flatMap(([path, digest]) => {
    const file = join(root, path);
    if (!existsSync(file)) return [];
    if (sha256(readFileSync(file)) !== digest) return [path];
    rmSync(file);
    return [];
  });
  for (const path of manifest.files) rmSync(join(root, path), { force: true });
  return { files: manifest.files.length, left: [...changed, ...removeFolders(root, manifest.folders)] };
}
