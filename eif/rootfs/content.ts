/**
 * What a ramdisk contains, said file by file, and the archive entries that follow from it: nothing depends on who builds, on
 * umask or on the clock. Folders above a file are implied; those that differ from the rule are listed.
 */
import { EifBuildError } from '../build-errors.ts';
import type { CpioItem, FileSource } from '../cpio/manifest.ts';

export const FOLDER_MODE = 0o755;
export const FILE_MODE = 0o644;
export const PROGRAM_MODE = 0o755;

export interface RootfsFile {
  /** Relative to the root. */
  readonly name: string;
  readonly mode: number;
  /** User and group; 0 unless given. */
  readonly owner?: number;
  readonly source: FileSource;
  /** Key of the part that it belongs to, for the bill of materials. */
  readonly component: string;
}

export interface RootfsFolder {
  readonly name: string;
  readonly mode: number;
  /** User and group; 0 unless given. */
  readonly owner?: number;
}

export interface RamdiskContent {
  readonly files: readonly RootfsFile[];
  readonly folders: readonly RootfsFolder[];
}

/**
 * Entries for writeCpio, in no order.
 * @throws EifBuildError EIF_BUILD_NAME_CONFLICT
 */
export function toCpioItems({ files, folders }: RamdiskContent): readonly CpioItem[] {
  const items = new Map<string, CpioItem>();
  const add = (item: CpioItem): void => {
    if (items.has(item.name)) {
      throw new EifBuildError('EIF_BUILD_NAME_CONFLICT', `/${item.name} is claimed twice`);
    }
    items.set(item.name, item);
  };
  for (const { name, mode, owner = 0 } of folders) add({ type: 'directory', name, mode, uid: owner, gid: owner });
  for (const { name, mode, owner = 0, source } of files)
    add({ type: 'file', name, mode, uid: owner, gid: owner, source });
  for (const folder of impliedFolders([...files, ...folders])) {
    const existing = items.get(folder);
    if (existing === undefined) add({ type: 'directory', name: folder, mode: FOLDER_MODE });
    else if (existing.type !== 'directory') {
      throw new EifBuildError('EIF_BUILD_NAME_CONFLICT', `/${folder} is a file and a folder`);
    }
  }
  return [...items.values()];
}

function impliedFolders(entries: readonly { readonly name: string }[]): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const { name } of entries) {
    for (let slash = name.lastIndexOf('/'); slash !== -1; slash = name.lastIndexOf('/', slash - 1)) {
      folders.add(name.slice(0, slash));
      if (slash === 0) break;
    }
  }
  return folders;
}

/** The same content below a folder, for an init that changes its root to there. */
export function below(folder: string, { files, folders }: RamdiskContent): RamdiskContent {
  const move = <Entry extends { readonly name: string }>(entry: Entry): Entry => ({
    ...entry,
    name: `${folder}/${entry.name}`,
  });
  return { files: files.map(move), folders: folders.map(move) };
}

export function together(...parts: readonly RamdiskContent[]): RamdiskContent {
  return { files: parts.flatMap(({ files }) => files), folders: parts.flatMap(({ folders }) => folders) };
}
