/**
 * The file system of an image as contents of a ramdisk: owners and modes as they are, times left out, so that two images that differ in
 * nothing else give the same bytes. Hard links stay links.
 */
import type { SizedPieces } from '../cpio/manifest.ts';
import type { RamdiskContent, RootfsFile, RootfsFolder, RootfsLink } from '../rootfs/content.ts';
import type { FileNode, Inode, PlacedNode } from './layers/nodes.ts';
import { grantedMode, type SetuidChoice } from './layers/privileges.ts';
import type { Content, Spool } from './layers/spool.ts';

/** Key of the container image in the bill of materials. */
export const CONTAINER_COMPONENT = 'container-image';

interface ContentSource {
  readonly spool: Spool;
  readonly setuid: SetuidChoice;
}

interface NamedFile {
  readonly name: string;
  readonly node: FileNode;
}

export function ramdiskContent(nodes: Iterable<PlacedNode>, { spool, setuid }: ContentSource): RamdiskContent {
  const files: NamedFile[] = [];
  const folders: RootfsFolder[] = [];
  const links: RootfsLink[] = [];
  for (const { path: name, node } of nodes) {
    if (node.kind === 'file') files.push({ name, node });
    else if (node.kind === 'folder') folders.push({ name, mode: node.mode, owner: node.uid, group: node.gid });
    else links.push({ kind: 'symbolic', name, target: node.target, owner: node.uid, group: node.gid });
  }
  const { first, further } = byInode(files);
  const sourceOf = (content: Content): SizedPieces => ({
    size: content.size,
    pieces: { [Symbol.asyncIterator]: () => spool.pieces(content) },
  });
  return {
    files: first.map(
      ({ name, node: { inode } }): RootfsFile => ({
        name,
        mode: grantedMode(inode, setuid),
        owner: inode.uid,
        group: inode.gid,
        source: sourceOf(inode.content),
        component: CONTAINER_COMPONENT,
      }),
    ),
    folders,
    links: [...links, ...further],
  };
}

/** The first name of each file in the order of the archive, and the others as links to it. */
function byInode(files: readonly NamedFile[]) {
  const names = new Map<Inode, NamedFile>();
  const further: RootfsLink[] = [];
  for (const file of files.toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))) {
    const known = names.get(file.node.inode);
    if (known === undefined) names.set(file.node.inode, file);
    else further.push({ kind: 'hard', name: file.name, to: known.name });
  }
  return { first: [...names.values()], further };
}
