/** The file system that the layers of an image make together, kept as a tree of names; contents lie elsewhere (spool.ts). */
import type { Content } from './spool.ts';

interface Owned {
  readonly uid: number;
  readonly gid: number;
}

/** What several names share when they are hard links to one file. */
export interface Inode extends Owned {
  readonly mode: number;
  readonly content: Content;
  /** File capabilities, which the kernel would give to whoever starts it. */
  readonly isCapable: boolean;
}

export interface FileNode {
  readonly kind: 'file';
  /** Number of the layer that put it there, as for all nodes. */
  readonly layer: number;
  readonly inode: Inode;
}

interface SymlinkNode extends Owned {
  readonly kind: 'symlink';
  readonly layer: number;
  readonly target: string;
}

export interface FolderNode extends Owned {
  readonly kind: 'folder';
  readonly layer: number;
  readonly mode: number;
  readonly children: Map<string, ImageNode>;
}

export type ImageNode = FileNode | SymlinkNode | FolderNode;

const IMPLIED_MODE = 0o755;

/** A folder that no entry describes. */
export function impliedFolder(layer: number): FolderNode {
  return { kind: 'folder', layer, mode: IMPLIED_MODE, uid: 0, gid: 0, children: new Map() };
}

export interface PlacedNode {
  /** Relative to the root of the image; never empty. */
  readonly path: string;
  readonly node: ImageNode;
}

/** All below a folder, in the order of names within each; folders before what is in them. */
export function* walk(folder: FolderNode, above = ''): Generator<PlacedNode, void> {
  for (const name of [...folder.children.keys()].toSorted()) {
    const node = folder.children.get(name);
    if (node === undefined) continue;
    const path = `${above}${name}`;
    yield { path, node };
    if (node.kind === 'folder') yield* walk(node, `${path}/`);
  }
}
