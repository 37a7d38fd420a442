/**
 * Kinds of parts that an image may have, by media type. What is not listed is refused by its name: an encrypted layer or an artifact
 * that is no image must not be taken for something else. Specification: OCI image-spec 1.1, media-types.md; Docker's schema 2.
 */
import type { Compression } from '../../compress.ts';
import { OciError } from '../errors.ts';

const OCI = 'application/vnd.oci.image';
const DOCKER = 'application/vnd.docker';

export const INDEX_TYPES: readonly string[] = [`${OCI}.index.v1+json`, `${DOCKER}.distribution.manifest.list.v2+json`];
export const MANIFEST_TYPES: readonly string[] = [`${OCI}.manifest.v1+json`, `${DOCKER}.distribution.manifest.v2+json`];
export const CONFIG_TYPES: readonly string[] = [`${OCI}.config.v1+json`, `${DOCKER}.container.image.v1+json`];

const LAYER_TYPES: ReadonlyMap<string, Compression> = new Map([
  [`${OCI}.layer.v1.tar`, 'none'],
  [`${OCI}.layer.v1.tar+gzip`, 'gzip'],
  [`${OCI}.layer.v1.tar+zstd`, 'zstd'],
  [`${DOCKER}.image.rootfs.diff.tar`, 'none'],
  [`${DOCKER}.image.rootfs.diff.tar.gzip`, 'gzip'],
  [`${DOCKER}.image.rootfs.diff.tar.zstd`, 'zstd'],
]);

function unknown(what: string, found: string, allowed: Iterable<string>): OciError {
  return new OciError('EIF_OCI_MEDIA_TYPE', `${what} is of a kind that is not known`, {
    found,
    allowed: [...allowed].join(', '),
  });
}

/** @throws OciError EIF_OCI_MEDIA_TYPE */
export function requireMediaType(what: string, found: string, allowed: readonly string[]): void {
  if (!allowed.includes(found)) throw unknown(what, found, allowed);
}

/** @throws OciError EIF_OCI_MEDIA_TYPE */
export function layerCompression(mediaType: string): Compression {
  const compression = LAYER_TYPES.get(mediaType);
  if (compression === undefined) throw unknown('a layer', mediaType, LAYER_TYPES.keys());
  return compression;
}
