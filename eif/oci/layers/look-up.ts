/** Finds what a process would find under a path whose root is the image: links are followed inside of it. path_resolution(7), chroot(2). */
import type { FileNode, FolderNode } from './nodes.ts';
import { MAX_LINKS } from './paths.ts';

export interface Found {
  /** Without links, relative to the root of the image; empty for the root itself. */
  readonly path: string;
  readonly node: FileNode | FolderNode;
  /** The links on the way, by their own paths. */
  readonly links: readonly string[];
  /** The folders in which a name was looked for, but for the root, which everybody may enter. */
  readonly folders: ReadonlySet<FolderNode>;
}

/** @returns undefined when nothing is there, or links lead round in a circle */
export function lookUp(root: FolderNode, path: string): Found | undefined {
  const left = path.split('/');
  const links: string[] = [];
  const folders = new Set<FolderNode>();
  let way: readonly { readonly name: string; readonly node: FolderNode }[] = [];
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      way = way.slice(0, -1);
      continue;
    }
    const folder = way.at(-1)?.node;
    if (folder !== undefined) folders.add(folder);
    const node = (folder ?? root).children.get(name);
    const own = [...way.map((each) => each.name), name].join('/');
    if (node === undefined) return undefined;
    if (node.kind === 'folder') way = [...way, { name, node }];
    else if (node.kind === 'file')
      return left.every((rest) => rest === '') ? { path: own, node, links, folders } : undefined;
    else {
      if (links.push(own) > MAX_LINKS) return undefined;
      if (node.target.startsWith('/')) way = [];
      left.unshift(...node.target.split('/'));
    }
  }
  return { path: way.map(({ name }) => name).join('/'), node: way.at(-1)?.node ?? root, links, folders };
}
