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
  /** User; 0 unless given. */
  readonly owner?: number;
  /** The user's number unless given. */
  readonly group?: number;
  readonly source: FileSource;
  /** Key of the part that it belongs to, for the bill of materials. */
  readonly component: string;
}

export interface RootfsFolder {
  readonly name: string;
  readonly mode: number;
  /** User; 0 unless given. */
  readonly owner?: number;
  /** The user's number unless given. */
  readonly group?: number;
}

/** Links of an application's own file system; ours has none. */
export type RootfsLink =
  | {
      readonly kind: 'symbolic';
      readonly name: string;
      /** As it stands in the link. */
      readonly target: string;
      readonly owner: number;
      readonly group: number;
    }
  | {
      readonly kind: 'hard';
      readonly name: string;
      /** Name of the file that this is another name of. */
      readonly to: string;
    };

export interface RamdiskContent {
  readonly files: readonly RootfsFile[];
  readonly folders: readonly RootfsFolder[];
  readonly links?: readonly RootfsLink[];
}

/**
 * Entries for writeCpio, in no order.
 * @throws EifBuildError EIF_BUILD_NAME_CONFLICT
 */
export function toCpioItems({ files, folders, links = [] }: RamdiskContent): readonly CpioItem[] {
  const items = new Map<string, CpioItem>();
  const add = (item: CpioItem): void => {
    if (items.has(item.name)) {
      throw new EifBuildError('EIF_BUILD_NAME_CONFLICT', `/${item.name} is claimed twice`);
    }
    items.set(item.name, item);
  };
  for (const { name, mode, owner = 0, group = owner } of folders)
    add({ type: 'directory', name, mode, uid: owner, gid: group });
  for (const { name, mode, owner = 0, group = owner, source } of files)
    add({ type: 'file', name, mode, uid: owner, gid: group, source });
  for (const link of links) add(linkItem(link));
  for (const folder of impliedFolders([...files, ...folders, ...links])) {
    const existing = items.get(folder);
    if (existing === undefined) add({ type: 'directory', name: folder, mode: FOLDER_MODE });
    else if (existing.type !== 'directory') {
      throw new EifBuildError('EIF_BUILD_NAME_CONFLICT', `/${folder} is a file and a folder`);
    }
  }
  return [...items.values()];
}

/** No system looks at the mode of a link. */
const LINK_MODE = 0o777;

function linkItem(link: RootfsLink): CpioItem {
  const { name } = link;
  if (link.kind === 'hard') return { type: 'hardlink', name, to: link.to };
  return { type: 'symlink', name, mode: LINK_MODE, uid: link.owner, gid: link.group, target: link.target };
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
export function below(folder: string, { files, folders, links = [] }: RamdiskContent): RamdiskContent {
  const move = <Entry extends { readonly name: string }>(entry: Entry): Entry => ({
    ...entry,
    name: `${folder}/${entry.name}`,
  });
  return {
    files: files.map(move),
    folders: folders.map(move),
    links: links.map((link) => (link.kind === 'hard' ? { ...move(link), to: `${folder}/${link.to}` } : move(link))),
  };
}

export function together(...parts: readonly RamdiskContent[]): RamdiskContent {
  return {
    files: parts.flatMap(({ files }) => files),
    folders: parts.flatMap(({ folders }) => folders),
    links: parts.flatMap(({ links = [] }) => links),
  };
}
