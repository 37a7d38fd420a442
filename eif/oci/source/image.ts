/**
 * A container image whose parts lie in files: its configuration, and its layers in order. From here on it does not matter in which
 * form it came. Specification: OCI image-spec 1.1, config.md (DiffID, ImageID).
 */
import type { Compression } from '../../compress.ts';
import type { Architecture } from '../../format/header.ts';
import { OciError } from '../errors.ts';
import { type Blob, readBlob } from './blob.ts';
import { configSchema, digestOf, type ImageConfig, MAX_DOCUMENT_BYTES, parseDocument } from './documents.ts';

export interface LayerBlob {
  readonly blob: Blob;
  /** Undefined: to be told from its first bytes. */
  readonly compression: Compression | undefined;
  /** `sha256:…` of the uncompressed archive. */
  readonly diffId: string;
}

export interface ContainerImage {
  /** `linux/amd64` */
  readonly platform: string;
  /** What `NAME@sha256:…` means; undefined where the form of the image does not keep it. */
  readonly manifestDigest: string | undefined;
  /** Names the image whatever form it is in: configuration, and through its DiffIDs the contents of all layers. */
  readonly configDigest: string;
  readonly config: ImageConfig;
  /** The lowest first. */
  readonly layers: readonly LayerBlob[];
}

/** How container images call the processors that enclaves run on. */
export const CONTAINER_ARCHITECTURES: Readonly<Record<Architecture, string>> = { x86_64: 'amd64', aarch64: 'arm64' };

export interface ImageParts {
  readonly manifestDigest: string | undefined;
  readonly config: Blob;
  readonly layers: readonly Omit<LayerBlob, 'diffId'>[];
}

/** @throws OciError EIF_OCI_READ, EIF_OCI_DIGEST, EIF_OCI_DOCUMENT, EIF_OCI_PLATFORM */
export async function imageOf(parts: ImageParts, architecture: Architecture): Promise<ContainerImage> {
  const bytes = await readBlob(parts.config, MAX_DOCUMENT_BYTES);
  const config = parseDocument(configSchema, bytes, 'the configuration of the image');
  const platform = `${config.os}/${config.architecture}`;
  requirePlatform(platform, architecture);
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== parts.layers.length) {
    throw new OciError('EIF_OCI_DOCUMENT', 'configuration and manifest of the image have different numbers of layers', {
      found: `${parts.layers.length} layers`,
      allowed: `${diffIds.length}`,
    });
  }
  const layers = parts.layers.map((layer, index) => ({ ...layer, diffId: diffIds[index] ?? '' }));
  return { platform, manifestDigest: parts.manifestDigest, configDigest: digestOf(bytes), config, layers };
}

function requirePlatform(found: string, architecture: Architecture): void {
  const allowed = `linux/${CONTAINER_ARCHITECTURES[architecture]}`;
  if (found === allowed) return;
  throw new OciError('EIF_OCI_PLATFORM', 'the image is for another platform', { found, allowed });
}
