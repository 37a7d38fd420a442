/**
 * An image in an OCI layout: a folder with index.json and blobs by digest. One layout may hold several images, and each of them one for
 * every processor. Specification: OCI image-spec 1.1, image-layout.md, image-index.md.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { Architecture } from '../../format/header.ts';
import { OciError } from '../errors.ts';
import { type Blob, readBlob } from './blob.ts';
import {
  type Descriptor,
  digestOf,
  indexSchema,
  MAX_DOCUMENT_BYTES,
  manifestSchema,
  parseDocument,
} from './documents.ts';
import { CONTAINER_ARCHITECTURES, type ContainerImage, imageOf } from './image.ts';
import { CONFIG_TYPES, INDEX_TYPES, layerCompression, MANIFEST_TYPES, requireMediaType } from './media-types.ts';

const REF_NAME = 'org.opencontainers.image.ref.name';
/** BuildKit's statements about an image lie beside it, for no platform. */
const REFERENCE_TYPE = 'vnd.docker.reference.type';
/** An index may name an index; nobody makes more of them. */
const MAX_DEPTH = 3;

const layoutMark = z.looseObject({ imageLayoutVersion: z.string().regex(/^1\./, { error: 'must be 1.x' }) });

/** Where the blob of a digest lies. */
type BlobPath = (digest: string) => string;

/** @param tag or digest of the image; undefined: the only one @throws OciError */
export async function openLayout(
  folder: string,
  tag: string | undefined,
  architecture: Architecture,
): Promise<ContainerImage> {
  return openFiles((name) => join(folder, name), tag, architecture);
}

/** @param pathOf where a file of the layout lies, by its path in the layout @throws OciError */
export async function openFiles(
  pathOf: (name: string) => string,
  tag: string | undefined,
  architecture: Architecture,
): Promise<ContainerImage> {
  const read = async (name: string) =>
    readBlob({ path: pathOf(name), digest: undefined, size: undefined }, MAX_DOCUMENT_BYTES);
  parseDocument(layoutMark, await read('oci-layout'), 'oci-layout');
  const index = parseDocument(indexSchema, await read('index.json'), 'index.json');
  const blobPath: BlobPath = (digest) => pathOf(`blobs/${digest.replace(':', '/')}`);
  const manifest = await follow(choose(index.manifests, tag, architecture), { blobPath, architecture });
  return openManifest(manifest, blobPath, architecture);
}

/** @param bytes of a manifest @throws OciError */
export async function openManifest(
  bytes: Buffer,
  blobPath: BlobPath,
  architecture: Architecture,
): Promise<ContainerImage> {
  const { mediaType, config, layers } = parseDocument(manifestSchema, bytes, 'the manifest of the image');
  if (mediaType !== undefined) requireMediaType('the manifest', mediaType, MANIFEST_TYPES);
  requireMediaType('the configuration', config.mediaType, CONFIG_TYPES);
  const blobOf = ({ digest, size }: Descriptor): Blob => ({ path: blobPath(digest), digest, size });
  return imageOf(
    {
      manifestDigest: digestOf(bytes),
      config: blobOf(config),
      layers: layers.map((layer) => ({ blob: blobOf(layer), compression: layerCompression(layer.mediaType) })),
    },
    architecture,
  );
}

interface Context {
  readonly blobPath: BlobPath;
  readonly architecture: Architecture;
}

/** From what an index names down to the bytes of one manifest. */
async function follow(start: Descriptor, { blobPath, architecture }: Context): Promise<Buffer> {
  let descriptor = start;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const { mediaType, digest, size } = descriptor;
    requireMediaType('an image of the index', mediaType, [...INDEX_TYPES, ...MANIFEST_TYPES]);
    const bytes = await readBlob({ path: blobPath(digest), digest, size }, MAX_DOCUMENT_BYTES);
    if (MANIFEST_TYPES.includes(mediaType)) return bytes;
    descriptor = choose(parseDocument(indexSchema, bytes, 'an index of the image').manifests, undefined, architecture);
  }
  throw new OciError('EIF_OCI_DOCUMENT', 'the index of the image leads to an index again and again');
}

function choose(all: readonly Descriptor[], tag: string | undefined, architecture: Architecture): Descriptor {
  const images = all.filter(({ annotations }) => annotations?.[REFERENCE_TYPE] === undefined);
  const named = images.filter((each) => tag === undefined || nameOf(each) === tag || each.digest === tag);
  const fitting = forAll(named.filter(({ platform }) => fits(platform, architecture)));
  const [first] = fitting;
  if (first !== undefined && fitting.every(({ digest }) => digest === first.digest)) return first;
  if (named.length > 0 && first === undefined) {
    throw new OciError('EIF_OCI_PLATFORM', 'the image is for other platforms', {
      found: named.map(({ platform }) => `${platform?.os}/${platform?.architecture}`).join(', '),
      allowed: `linux/${CONTAINER_ARCHITECTURES[architecture]}`,
    });
  }
  throw new OciError('EIF_OCI_CHOICE', tag === undefined ? 'it is not said which image' : `no image is named ${tag}`, {
    found: images.map((each) => nameOf(each) ?? each.digest).join(', ') || 'no image',
    allowed: 'the name of one of them',
  });
}

function nameOf({ annotations }: Descriptor): string | undefined {
  return annotations?.[REF_NAME];
}

/** Of images for several generations of a processor those that run on each, where there are such (`v8` is the first of arm64). */
function forAll(images: readonly Descriptor[]): readonly Descriptor[] {
  const oldest = images.filter(({ platform }) => [undefined, null, '', 'v1', 'v8'].includes(platform?.variant));
  return oldest.length > 0 ? oldest : images;
}

function fits(platform: Descriptor['platform'], architecture: Architecture): boolean {
  if (platform === undefined || platform === null) return true;
  return platform.os === 'linux' && platform.architecture === CONTAINER_ARCHITECTURES[architecture];
}
