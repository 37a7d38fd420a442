/** Container images made by the tests themselves, in each form that is taken. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type TestEntry, tarOf } from './tar.ts';

export const PLATFORM = { architecture: process.arch === 'arm64' ? 'arm64' : 'amd64', os: 'linux' };
export const ARCHITECTURE = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

type LayerForm = 'tar' | 'gzip' | 'zstd';

export interface TestImage {
  /** Entries, or a whole archive. */
  readonly layers: readonly (readonly TestEntry[] | Buffer)[];
  readonly form?: LayerForm;
  /** `config` of the image's configuration. */
  readonly run?: object;
  /** Over what the image's configuration would be. */
  readonly config?: object;
  readonly platform?: { readonly architecture: string; readonly os: string };
  readonly tag?: string;
}

export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const OCI = 'application/vnd.oci.image';
const MEDIA_TYPES: Readonly<Record<LayerForm, string>> = {
  tar: `${OCI}.layer.v1.tar`,
  gzip: `${OCI}.layer.v1.tar+gzip`,
  zstd: `${OCI}.layer.v1.tar+zstd`,
};

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly [key: string]: unknown;
}

export interface MadeImage {
  /** By digest. */
  readonly blobs: ReadonlyMap<string, Buffer>;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  /** Uncompressed. */
  readonly archives: readonly Buffer[];
  readonly manifest: Descriptor;
}

function compressed(archive: Buffer, form: LayerForm): Buffer {
  if (form === 'gzip') return gzipSync(archive);
  return form === 'zstd' ? zstdCompressSync(archive) : archive;
}

export function makeImage({ layers, form = 'tar', run = {}, config = {}, platform = PLATFORM }: TestImage): MadeImage {
  const blobs = new Map<string, Buffer>();
  const add = (mediaType: string, bytes: Buffer): Descriptor => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const json = (mediaType: string, value: object) => add(mediaType, Buffer.from(JSON.stringify(value)));
  const archives = layers.map((layer) => (Buffer.isBuffer(layer) ? layer : tarOf(layer)));
  const layerBlobs = archives.map((archive) => add(MEDIA_TYPES[form], compressed(archive, form)));
  const configBlob = json(`${OCI}.config.v1+json`, {
    ...platform,
    config: run,
    rootfs: { type: 'layers', diff_ids: archives.map(digestOf) },
    ...config,
  });
  const manifest = json(`${OCI}.manifest.v1+json`, {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: configBlob,
    layers: layerBlobs,
  });
  return { blobs, config: configBlob, layers: layerBlobs, archives, manifest };
}

/** The files of an OCI layout, by their paths. */
export function layoutFiles(blobs: ReadonlyMap<string, Buffer>, manifests: readonly object[]): Map<string, Buffer> {
  const text = (value: object) => Buffer.from(JSON.stringify(value));
  return new Map([
    ['oci-layout', text({ imageLayoutVersion: '1.0.0' })],
    ['index.json', text({ schemaVersion: 2, manifests })],
    ...[...blobs].map(([digest, bytes]): [string, Buffer] => [`blobs/${digest.replace(':', '/')}`, bytes]),
  ]);
}

export function writeFiles(folder: string, files: ReadonlyMap<string, Buffer>): string {
  for (const [name, bytes] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  return folder;
}

/** @returns the folder */
export function writeLayout(folder: string, image: TestImage): string {
  const { blobs, manifest } = makeImage(image);
  const annotations = image.tag === undefined ? {} : { 'org.opencontainers.image.ref.name': image.tag };
  return writeFiles(folder, layoutFiles(blobs, [{ ...manifest, annotations }]));
}

/** @returns the file */
export function writeOciArchive(file: string, image: TestImage): string {
  const { blobs, manifest } = makeImage(image);
  const files = [...layoutFiles(blobs, [manifest])];
  writeFileSync(file, tarOf(files.map(([name, bytes]) => ({ name, bytes }))));
  return file;
}

/** As `docker save` of version 20 writes it. @returns the file */
export function writeDockerArchive(file: string, image: TestImage, tags: readonly string[] = ['app:1']): string {
  const { blobs, config, archives } = makeImage(image);
  const name = `${config.digest.slice('sha256:'.length)}.json`;
  const layers = archives.map((archive) => `${digestOf(archive).slice('sha256:'.length)}/layer.tar`);
  const manifest = [{ Config: name, RepoTags: tags, Layers: layers }];
  writeFileSync(
    file,
    tarOf([
      ...[...new Map(layers.map((layer, index) => [layer, archives[index] ?? Buffer.alloc(0)]))].map(
        ([layer, bytes]) => ({ name: layer, bytes }),
      ),
      { name, bytes: blobs.get(config.digest) ?? Buffer.alloc(0) },
      { name: 'manifest.json', text: JSON.stringify(manifest) },
    ]),
  );
  return file;
}
