/**
 * Puts the layers of an image over each other. Whiteouts remove what lower layers brought and never what their own layer brings,
 * wherever they stand in it; a name that comes again replaces what was there, but a folder keeps what is in it.
 * Specification: OCI image-spec 1.1, layer.md ("Applying Changesets", "Whiteouts").
 */
import { OciError } from '../errors.ts';
import { type FolderNode, type ImageNode, type Inode, impliedFolder } from './nodes.ts';
import { layerPath, linkTarget, MAX_FOLDER_BYTES, MAX_LINKS, namesOf } from './paths.ts';
import type { Content } from './spool.ts';
import type { TarEntry } from './tar.ts';

/** A build takes about 2 KiB of memory for each (docs/oci-images.md); images with large trees of packages have a fifth of it. */
const MAX_ENTRIES = 500_000;

export class ImageTree {
  #root = impliedFolder(0);
  #entries = 0;

  get root(): FolderNode {
    return this.#root;
  }

  /**
   * @param layer its number, from 0; never lower than the one before
   * @param content of a file
   * @throws OciError EIF_OCI_PATH, EIF_OCI_LINK, EIF_OCI_LIMIT
   */
  add(layer: number, entry: TarEntry, content: Content | undefined): void {
    this.#count();
    const path = layerPath(entry.path);
    if (path.kind === 'root') {
      this.#describeRoot(layer, entry);
      return;
    }
    const folder = this.#folderAt(path.folder, { layer, path: entry.path });
    if (path.kind === 'opaque') hideChildren(folder, layer);
    else if (path.kind === 'whiteout') hide(folder, path.name, layer);
    else this.#place(folder, path.name, this.#nodeOf(layer, entry, content));
  }

  /** Folders that no entry describes count too: one path may imply thousands. */
  #count(): void {
    this.#entries += 1;
    if (this.#entries <= MAX_ENTRIES) return;
    throw new OciError('EIF_OCI_LIMIT', 'the image has too many entries', { allowed: `at most ${MAX_ENTRIES}` });
  }

  #describeRoot(layer: number, { kind, path, mode, uid, gid }: TarEntry): void {
    if (kind !== 'folder') throw new OciError('EIF_OCI_PATH', `the entry ${JSON.stringify(path)} replaces the root`);
    this.#root = { ...this.#root, layer, mode, uid, gid };
  }

  /** Undefined for what has no place in an image, but takes the place of what was there. */
  #nodeOf(layer: number, entry: TarEntry, content: Content | undefined): ImageNode | undefined {
    const { mode, uid, gid, isCapable } = entry;
    switch (entry.kind) {
      case 'file': {
        const inode: Inode = { mode, uid, gid, isCapable, content: content ?? { start: 0, size: 0 } };
        return { kind: 'file', layer, inode };
      }
      case 'folder':
        return { kind: 'folder', layer, mode, uid, gid, children: new Map() };
      case 'symlink':
        return { kind: 'symlink', layer, target: linkTarget(entry.path, entry.target), uid, gid };
      case 'hardlink':
        return { ...this.#linked(entry.path, entry.target, layer), layer };
      default:
        return undefined;
    }
  }

  #place(folder: FolderNode, name: string, node: ImageNode | undefined): void {
    const before = folder.children.get(name);
    if (node === undefined) folder.children.delete(name);
    else if (node.kind === 'folder' && before?.kind === 'folder')
      folder.children.set(name, { ...node, children: before.children });
    else folder.children.set(name, node);
  }

  /** What a hard link leads to: the file itself, so that it stays when its first name is replaced. */
  #linked(path: string, target: string, layer: number): ImageNode {
    const names = namesOf(target);
    const folder = this.#folderAt(names.slice(0, -1), { layer, path });
    const node = folder.children.get(names.at(-1) ?? '');
    if (node !== undefined && node.kind !== 'folder') return node;
    throw new OciError(
      'EIF_OCI_LINK',
      `the hard link ${JSON.stringify(path)} leads to ${node === undefined ? 'nothing' : 'a folder'}`,
      {
        found: target,
      },
    );
  }

  /** The folder of an entry, made where it is not there; links on the way are followed inside the image. */
  #folderAt(names: readonly string[], { layer, path }: { readonly layer: number; readonly path: string }): FolderNode {
    const root = { node: this.#root, bytes: 0 };
    const way = [root];
    const left = [...names];
    const refuse = (why: string) => new OciError('EIF_OCI_PATH', `the entry ${JSON.stringify(path)} ${why}`);
    let links = 0;
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      if (name === '' || name === '.') continue;
      if (name === '..') {
        if (way.length > 1) way.pop();
        continue;
      }
      const at = way.at(-1) ?? root;
      const node = at.node.children.get(name) ?? this.#implied(at.node, name, layer);
      if (node.kind === 'folder') {
        const bytes = at.bytes + Buffer.byteLength(name) + 1;
        if (bytes > MAX_FOLDER_BYTES) throw refuse('lies too deep');
        way.push({ node, bytes });
        continue;
      }
      links += 1;
      if (node.kind === 'file') throw refuse('lies below a file');
      if (links > MAX_LINKS) throw refuse('lies below links without end');
      if (node.target.startsWith('/')) way.length = 1;
      left.unshift(...node.target.split('/'));
    }
    return (way.at(-1) ?? root).node;
  }

  #implied(at: FolderNode, name: string, layer: number): FolderNode {
    this.#count();
    const folder = impliedFolder(layer);
    at.children.set(name, folder);
    return folder;
  }
}

/** Removes what layers below `layer` brought under a name. */
function hide(folder: FolderNode, name: string, layer: number): void {
  const node = folder.children.get(name);
  if (node === undefined) return;
  if (node.kind !== 'folder') {
    if (node.layer < layer) folder.children.delete(name);
    return;
  }
  hideChildren(node, layer);
  if (node.layer >= layer) return;
  // The folder itself was of a layer below; what stays in it makes it a new one.
  if (node.children.size === 0) folder.children.delete(name);
  else folder.children.set(name, { ...impliedFolder(layer), children: node.children });
}

function hideChildren(folder: FolderNode, layer: number): void {
  for (const name of [...folder.children.keys()]) hide(folder, name, layer);
}
