/**
 * An image in a tar archive is taken apart first: its members are read in any order, and layers twice as large as memory may be among
 * them. They are written under numbers, so that no name of the archive becomes a path of this machine.
 */
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { decompress, detectCompression } from '../../compress.ts';
import { readRange, withInputFile } from '../../input-file.ts';
import { OciError } from '../errors.ts';
import { readTar } from '../layers/tar.ts';
import { checkedPieces } from './blob.ts';

/** An image has as many members as layers, and some documents. */
const MAX_MEMBERS = 10_000;
const MAGIC_BYTES = 4;

interface Destination {
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** @returns the path of each member on this machine, by its name in the archive @throws OciError; the signal's reason */
export async function takeApart(
  archive: string,
  { folder, signal }: Destination,
): Promise<ReadonlyMap<string, string>> {
  await mkdir(folder, { recursive: true });
  const members = new Map<string, string>();
  const links: (readonly [name: string, target: string])[] = [];
  let count = 0;
  for await (const entry of readTar(await unpacked(archive))) {
    signal.throwIfAborted();
    const name = posix.normalize(entry.path).replace(/\/$/, '');
    count += 1;
    if (count > MAX_MEMBERS) {
      throw new OciError('EIF_OCI_LIMIT', `${archive} has too many members`, { allowed: `at most ${MAX_MEMBERS}` });
    }
    if (entry.kind === 'file') {
      const path = join(folder, String(count));
      await pipeline(Readable.from(entry.body), createWriteStream(path, { flags: 'wx' }), { signal }).catch((error) => {
        signal.throwIfAborted();
        unwritable(path)(error);
      });
      members.set(name, path);
    } else if (entry.kind === 'symlink') links.push([name, posix.join(posix.dirname(name), entry.target)]);
    else if (entry.kind === 'hardlink') links.push([name, posix.normalize(entry.target)]);
  }
  // Older releases of docker store a layer that comes twice as a link to the first, which may come later.
  for (const [name, target] of links) {
    const path = members.get(target);
    if (path !== undefined) members.set(name, path);
  }
  return members;
}

function unwritable(path: string): (cause: unknown) => never {
  return (cause) => {
    if (cause instanceof OciError) throw cause;
    throw new OciError('EIF_OCI_SPOOL', `cannot write ${path}`, { cause });
  };
}

async function unpacked(archive: string): Promise<AsyncIterable<Uint8Array>> {
  const { pieces } = checkedPieces({ path: archive, digest: undefined, size: undefined });
  return decompress(pieces, await compressionOf(archive));
}

/** What the first bytes of a file say. @throws OciError EIF_OCI_READ */
export async function compressionOf(path: string) {
  try {
    return detectCompression(await withInputFile(path, (file) => readRange(file, 0, MAGIC_BYTES)));
  } catch (cause) {
    throw new OciError('EIF_OCI_READ', `cannot read ${path}`, { cause });
  }
}
