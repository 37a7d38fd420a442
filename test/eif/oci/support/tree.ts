/** What layers make, as lines that a test can compare. */
import { join } from 'node:path';
import type { FolderNode } from '../../../../eif/oci/layers/nodes.ts';
import { walk } from '../../../../eif/oci/layers/nodes.ts';
import { type ReadLayers, readLayers } from '../../../../eif/oci/layers/read-layers.ts';
import { ImageFiles } from '../../../../eif/oci/programs/file-system.ts';
import { openLayout } from '../../../../eif/oci/source/layout.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { ARCHITECTURE, type TestImage, writeLayout } from './layout.ts';

interface Test {
  teardown(fn: () => void): void;
}

export async function readImage(t: Test, image: TestImage): Promise<ReadLayers> {
  const folder = temporaryFolder(t);
  const layout = writeLayout(join(folder, 'image'), image);
  return readLayers(await openLayout(layout, undefined, ARCHITECTURE), {
    spoolPath: join(folder, 'spool'),
    signal: AbortSignal.timeout(60_000),
    onProgress: () => undefined,
  });
}

/** `path`: contents of a file, `→ target` of a link, `/` of a folder. */
export async function contentsOf({ root, spool }: ReadLayers): Promise<Record<string, string>> {
  const contents: Record<string, string> = {};
  for (const { path, node } of walk(root)) {
    if (node.kind === 'folder') contents[path] = '/';
    else if (node.kind === 'symlink') contents[path] = `→ ${node.target}`;
    else contents[path] = String(Buffer.concat(await copies(spool.pieces(node.inode.content))));
  }
  return contents;
}

async function copies(pieces: AsyncIterable<Buffer>): Promise<readonly Buffer[]> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(Buffer.from(piece));
  return all;
}

export async function treeOf(t: Test, ...layers: TestImage['layers']): Promise<Record<string, string>> {
  return contentsOf(await readImage(t, { layers }));
}

/** Modes and owners of all below a folder, as `755 0:0`. */
export function attributesOf(root: FolderNode): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const { path, node } of walk(root)) {
    const { uid, gid } = node.kind === 'file' ? node.inode : node;
    const mode = node.kind === 'file' ? node.inode.mode : node.kind === 'folder' ? node.mode : 0o777;
    attributes[path] = `${mode.toString(8)} ${uid}:${gid}`;
  }
  return attributes;
}

/** The files of an image of one layer, for what looks at programs. */
export async function filesOf(t: Test, ...layers: TestImage['layers']): Promise<ImageFiles> {
  return new ImageFiles(await readImage(t, { layers }));
}
