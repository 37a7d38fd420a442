/** A container image of 1 GB, with 20,000 small files and some large ones, passes through a build in little memory. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { seededRandom } from '../../support/seeded-random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { digestOf, layoutFiles, PLATFORM, writeFiles } from './support/layout.ts';
import { TAR_END, tarEntry } from './support/tar.ts';

const MAX_MIB = 200;
const SMALL = { files: 20_000, bytes: 4_000 };
const LARGE = { files: 14, bytes: 64 * 1024 * 1024 };
const BUILD = new URL('support/build.ts', import.meta.url).pathname;

/** Half of it is as hard to compress as programs are. */
function contents(seed: string, bytes: number): Buffer {
  const half = seededRandom(seed).bytes(bytes / 2);
  return Buffer.concat([half, Buffer.alloc(bytes / 2, half.subarray(0, 1_000))]);
}

/** @returns the folder of an OCI layout with one layer, written piece by piece */
function writeLarge(folder: string): string {
  const blobs = join(folder, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  const hash = createHash('sha256');
  let size = 0;
  const file = openSync(join(blobs, 'layer'), 'w');
  const write = (bytes: Buffer): void => {
    hash.update(bytes);
    size += writeSync(file, bytes);
  };
  for (let index = 0; index < SMALL.files; index++)
    write(
      tarEntry({
        name: `usr/lib/python/package-${index % 300}/module-${index}.py`,
        bytes: contents(String(index), SMALL.bytes),
      }),
    );
  for (let index = 0; index < LARGE.files; index++)
    write(tarEntry({ name: `usr/lib/large-${index}.so`, bytes: contents(`large ${index}`, LARGE.bytes) }));
  write(TAR_END);
  closeSync(file);
  const digest = `sha256:${hash.digest('hex')}`;
  renameSync(join(blobs, 'layer'), join(blobs, digest.slice(7)));
  const documents = new Map<string, Buffer>();
  const add = (mediaType: string, value: object) => {
    const bytes = Buffer.from(JSON.stringify(value));
    documents.set(digestOf(bytes), bytes);
    return { mediaType, digest: digestOf(bytes), size: bytes.length };
  };
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size };
  const rootfs = { type: 'layers', diff_ids: [digest] };
  const config = add('application/vnd.oci.image.config.v1+json', { ...PLATFORM, rootfs });
  const manifest = add('application/vnd.oci.image.manifest.v1+json', { schemaVersion: 2, config, layers: [layer] });
  return writeFiles(folder, layoutFiles(documents, [manifest]));
}

t.test('takes less than 200 MiB of memory for an image of 1 GB', { timeout: 1_800_000 }, async (t) => {
  const root = temporaryFolder(t);
  const image = `oci:${writeLarge(join(root, 'image'))}`;
  const output = execFileSync(process.execPath, [BUILD, join(root, 'build'), image, '1'], { encoding: 'utf8' });
  t.comment(output.trim());
  const { peakMiB, unpackedBytes } = JSON.parse(output) as Record<string, number>;
  t.ok((unpackedBytes ?? 0) > 1_000_000_000, `${unpackedBytes} bytes`);
  t.ok((peakMiB ?? MAX_MIB) < MAX_MIB, `${peakMiB} MiB`);
});
