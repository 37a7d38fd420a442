/**
 * Reads all layers of an image once: what is in them goes into a tree, the contents of files into a spool. Memory holds names and numbers
 * only. Every blob is held against its digest, and every archive against the DiffID of the configuration.
 */
import { createHash } from 'node:crypto';
import { decompress } from '../../compress.ts';
import { CpioError } from '../../errors.ts';
import { OciError } from '../errors.ts';
import { checkedPieces } from '../source/blob.ts';
import type { ContainerImage, LayerBlob } from '../source/image.ts';
import { compressionOf } from '../source/take-apart.ts';
import { lookUp } from './look-up.ts';
import type { FolderNode } from './nodes.ts';
import { namesOf } from './paths.ts';
import { Spool, SpoolWriter } from './spool.ts';
import { readTar, type TarEntry } from './tar.ts';
import { ImageTree } from './tree.ts';

export interface ReadLayersOptions {
  /** Gets the contents of all files; must stay until those are read. */
  readonly spoolPath: string;
  readonly signal: AbortSignal;
  /** One line for people at each layer. */
  readonly onProgress: (step: string) => void;
  /** Of all files together, those that later layers replace too. Default: 64 GiB, more than fits in the memory of most enclaves. */
  readonly maxBytes?: number;
}

export interface ReadLayers {
  readonly root: FolderNode;
  readonly spool: Spool;
  /** Devices and fifos, which have no place in the image. */
  readonly leftOut: readonly string[];
  /** How many entries had extended attributes other than file capabilities, which are not kept. */
  readonly withAttributes: number;
}

/** What cpio has place for: 32 bits. */
const MAX_FILE_BYTES = 0xffff_ffff;
const MAX_IMAGE_BYTES = 64 * 1024 ** 3;
const MIB = 1024 * 1024;

/** @throws OciError; the signal's reason */
export async function readLayers({ layers, config }: ContainerImage, options: ReadLayersOptions): Promise<ReadLayers> {
  const tree = new ImageTree();
  const leftOut: string[] = [];
  let [withAttributes, total] = [0, 0];
  await using spool = await SpoolWriter.create(options.spoolPath);
  for (const [number, layer] of layers.entries()) {
    let [entries, bytes] = [0, 0];
    for await (const entry of readLayer(layer, options.signal)) {
      total += entry.kind === 'file' ? entry.size : 0;
      requirePlace(entry, total, options.maxBytes ?? MAX_IMAGE_BYTES);
      const content = entry.kind === 'file' ? await spool.append(untilAborted(entry.body, options.signal)) : undefined;
      tree.add(number, entry, content);
      if (entry.kind === 'device' || entry.kind === 'fifo') leftOut.push(namesOf(entry.path).join('/'));
      if (entry.attributes > 0) withAttributes += 1;
      entries += 1;
      bytes += content?.size ?? 0;
    }
    const size = `${entries} entries, ${(bytes / MIB).toFixed(1)} MiB`;
    options.onProgress(`layer ${number + 1} of ${layers.length}: ${size} (${layer.diffId.slice(0, 19)}…)`);
  }
  await spool.flush();
  addWorkingFolder(tree, layers.length, config.config?.WorkingDir ?? '');
  return { root: tree.root, spool: new Spool(options.spoolPath), leftOut, withAttributes };
}

/** Before a byte of it is written: archives of a few megabytes unpack to more than a disk holds. */
function requirePlace(entry: TarEntry, total: number, maxBytes: number): void {
  if (entry.kind !== 'file') return;
  if (entry.size > MAX_FILE_BYTES)
    throw new OciError('EIF_OCI_LIMIT', `the entry ${JSON.stringify(entry.path)} is too large`, {
      allowed: `${MAX_FILE_BYTES} bytes`,
    });
  if (total > maxBytes)
    throw new OciError('EIF_OCI_LIMIT', 'the files of the image are too large together', {
      found: `${total} bytes up to ${JSON.stringify(entry.path)}`,
      allowed: `${maxBytes} bytes, in all layers`,
    });
}

/** Images may name a folder that no layer has: who starts a container makes it then (runc). */
function addWorkingFolder(tree: ImageTree, layer: number, path: string): void {
  if (path === '' || lookUp(tree.root, path) !== undefined) return;
  tree.add(layer, { kind: 'folder', path, mode: 0o755, uid: 0, gid: 0, isCapable: false, attributes: 0 }, undefined);
}

/** What reads an archive takes whatever ends it for a fault of the archive. @throws the signal's reason */
async function* untilAborted<Item>(items: AsyncIterable<Item>, signal: AbortSignal): AsyncGenerator<Item, void> {
  try {
    yield* items;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

/** All entries of a layer; ends with an error where blob or archive are not what the image says. */
async function* readLayer({ blob, compression, diffId }: LayerBlob, signal: AbortSignal) {
  const compressed = checkedPieces(blob);
  const hash = createHash('sha256');
  async function* archive(): AsyncGenerator<Uint8Array, void> {
    try {
      const kind = compression ?? (await compressionOf(blob.path));
      for await (const piece of decompress(compressed.pieces, kind)) {
        signal.throwIfAborted();
        hash.update(piece);
        yield piece;
      }
    } catch (cause) {
      if (!(cause instanceof CpioError)) throw cause;
      throw new OciError('EIF_OCI_LAYER', `the layer ${blob.path} cannot be unpacked`, { cause });
    }
  }
  yield* untilAborted(readTar(archive()), signal);
  if (!compressed.isChecked()) throw new OciError('EIF_OCI_LAYER', `the layer ${blob.path} has bytes after its end`);
  const found = `sha256:${hash.digest('hex')}`;
  if (found === diffId) return;
  throw new OciError('EIF_OCI_DIGEST', `the layer ${blob.path} is not what the configuration of the image names`, {
    found,
    allowed: diffId,
  });
}
