/**
 * Reads an image as a tool left it in a folder, in either of two forms, and checks every digest on the way:
 *   `dir:` of skopeo and podman: manifest.json (Docker schema 2 or OCI) and one file per blob, named by its hex digest;
 *   `docker save`, unpacked: manifest.json (a list) naming the configuration and the layers by path.
 * Whatever the form, the digests of the configuration and of the uncompressed layers identify the image.
 */
import { createHash } from 'node:crypto';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { z } from 'zod';
import { AcraError } from '../errors.ts';
import { ImageTree } from './image-tree.ts';
import { readTar } from './tar.ts';

/** acra-server's image has about 60 MB. */
export const MAX_IMAGE_BYTES = 512 * 1024 * 1024;

/** Where the bytes of one image come from; names as its manifest uses them. */
export interface ImageSource {
  read(name: string): Promise<Buffer>;
}

export interface ReadImage {
  /** `sha256:…` of the configuration: what docker and podman call the image id. */
  readonly configDigest: string;
  /** `sha256:…` of the image's manifest, which `name@digest` means; undefined where the tool does not keep it. */
  readonly manifestDigest: string | undefined;
  /** `sha256:…` of each uncompressed layer. */
  readonly layerDigests: readonly string[];
  readonly tree: ImageTree;
}

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const descriptor = z.object({ digest });
const directoryManifest = z.object({ config: descriptor, layers: z.array(descriptor).min(1).max(128) });
const path = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,200}$/);
const archiveManifest = z.tuple([z.object({ Config: path, Layers: z.array(path).min(1).max(128) })]);
const manifestSchema = z.union([directoryManifest, archiveManifest]);
const configSchema = z.object({ rootfs: z.object({ type: z.literal('layers'), diff_ids: z.array(digest) }) });

function invalid(message: string, cause?: unknown): AcraError {
  return new AcraError('ACRA_IMAGE_INVALID', message, cause === undefined ? {} : { cause });
}

const digestOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

function requireDigest(what: string, bytes: Buffer, expected: string): void {
  const found = digestOf(bytes);
  if (found !== expected) throw new AcraError('ACRA_IMAGE_INVALID', `${what} is damaged`, { found, allowed: expected });
}

function parse<Schema extends z.ZodType>(schema: Schema, bytes: Buffer, what: string): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw invalid(`${what} of the image cannot be read`, cause);
  }
}

interface Parts {
  readonly manifestDigest: string | undefined;
  readonly config: Buffer;
  /** As they came, compressed or not. */
  readonly layers: readonly Buffer[];
}

async function readBlob(source: ImageSource, expected: string): Promise<Buffer> {
  const bytes = await source.read(expected.slice('sha256:'.length));
  requireDigest('a blob of the image', bytes, expected);
  return bytes;
}

async function readParts(source: ImageSource): Promise<Parts> {
  const bytes = await source.read('manifest.json');
  const manifest = parse(manifestSchema, bytes, 'the manifest');
  if (!Array.isArray(manifest)) {
    const layers: Buffer[] = [];
    for (const layer of manifest.layers) layers.push(await readBlob(source, layer.digest));
    return { manifestDigest: digestOf(bytes), config: await readBlob(source, manifest.config.digest), layers };
  }
  const [{ Config, Layers }] = manifest;
  const layers: Buffer[] = [];
  for (const layer of Layers) layers.push(await source.read(layer));
  return { manifestDigest: undefined, config: await source.read(Config), layers };
}

function decompress(layer: Buffer): Buffer {
  const limit = { maxOutputLength: MAX_IMAGE_BYTES };
  try {
    if (layer.subarray(0, 2).equals(Buffer.of(0x1f, 0x8b))) return gunzipSync(layer, limit);
    if (layer.subarray(0, 4).equals(Buffer.of(0x28, 0xb5, 0x2f, 0xfd))) return zstdDecompressSync(layer, limit);
  } catch (cause) {
    throw invalid('a layer of the image cannot be decompressed', cause);
  }
  return layer;
}

/** @throws AcraError ACRA_IMAGE_INVALID */
export async function readImage(source: ImageSource): Promise<ReadImage> {
  const { manifestDigest, config, layers } = await readParts(source);
  const { rootfs } = parse(configSchema, config, 'the configuration');
  if (rootfs.diff_ids.length !== layers.length) throw invalid('the image has another number of layers than it says');
  const tree = new ImageTree();
  let total = 0;
  for (const [index, layer] of layers.entries()) {
    const archive = decompress(layer);
    requireDigest('a layer of the image', archive, rootfs.diff_ids[index] ?? '');
    total += archive.length;
    if (total > MAX_IMAGE_BYTES) throw invalid(`the image is over ${MAX_IMAGE_BYTES} bytes`);
    for (const entry of await readTar(archive)) tree.add(entry);
  }
  return { configDigest: digestOf(config), manifestDigest, layerDigests: rootfs.diff_ids, tree };
}
