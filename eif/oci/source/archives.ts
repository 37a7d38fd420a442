/**
 * Images in archives: an OCI layout in a tar file, and what `docker save` writes (manifest.json, which names configuration and layers by
 * path). Specification: OCI image-spec 1.1, image-layout.md; Docker image specification 1.2, "Combined Image JSON + Filesystem
 * Changeset Format".
 */
import { posix } from 'node:path';
import { z } from 'zod';
import type { Architecture } from '../../format/header.ts';
import { OciError } from '../errors.ts';
import { readBlob } from './blob.ts';
import { MAX_DOCUMENT_BYTES, MAX_LAYERS, parseDocument } from './documents.ts';
import { type ContainerImage, imageOf } from './image.ts';
import { openFiles } from './layout.ts';
import { takeApart } from './take-apart.ts';

export interface ArchiveChoice {
  readonly file: string;
  /** Undefined: the only one. */
  readonly name: string | undefined;
}

interface Place {
  readonly architecture: Architecture;
  /** Empty, ours; it must stay until the layers are read. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** @throws OciError; the signal's reason */
export async function openOciArchive({ file, name }: ArchiveChoice, place: Place): Promise<ContainerImage> {
  const members = await takeApart(file, place);
  return openFiles((member) => memberPath(members, file, member), name, place.architecture);
}

function memberPath(members: ReadonlyMap<string, string>, file: string, member: string): string {
  const path = members.get(posix.normalize(member));
  if (path !== undefined) return path;
  throw new OciError('EIF_OCI_READ', `${file} has no member ${member}`);
}

const savedImage = z.looseObject({
  Config: z.string(),
  RepoTags: z.array(z.string()).nullish(),
  Layers: z.array(z.string()).max(MAX_LAYERS),
});
const savedManifest = z.array(savedImage);
type SavedImage = z.output<typeof savedImage>;

/** A member that is named by its digest: `<hex>.json` of older releases, `blobs/sha256/<hex>` of newer ones. */
const NAMED_BY_DIGEST = /^(?:blobs\/sha256\/)?([0-9a-f]{64})(?:\.json)?$/;

/** @throws OciError; the signal's reason */
export async function openDockerArchive({ file, name }: ArchiveChoice, place: Place): Promise<ContainerImage> {
  const members = await takeApart(file, place);
  const pathOf = (member: string) => memberPath(members, file, member);
  const blob = (path: string, digest?: string) => ({ path, digest, size: undefined });
  const bytes = await readBlob(blob(pathOf('manifest.json')), MAX_DOCUMENT_BYTES);
  const { Config, Layers } = chooseSaved(parseDocument(savedManifest, bytes, 'manifest.json of the archive'), name);
  const hex = NAMED_BY_DIGEST.exec(Config)?.[1];
  return imageOf(
    {
      manifestDigest: undefined,
      config: blob(pathOf(Config), hex === undefined ? undefined : `sha256:${hex}`),
      layers: Layers.map((layer) => ({ blob: blob(pathOf(layer)), compression: undefined })),
    },
    place.architecture,
  );
}

function chooseSaved(images: readonly SavedImage[], name: string | undefined): SavedImage {
  const named = images.filter(
    ({ RepoTags }) => name === undefined || (RepoTags ?? []).some((tag) => isNamed(tag, name)),
  );
  const [image] = named;
  if (image !== undefined && named.every(({ Config }) => Config === image.Config)) return image;
  throw new OciError(
    'EIF_OCI_CHOICE',
    name === undefined ? 'it is not said which image' : `no image is named ${name}`,
    {
      found: images.flatMap(({ RepoTags }) => RepoTags ?? ['one without a name']).join(', ') || 'no image',
      allowed: 'the name of one of them',
    },
  );
}

/** `docker.io/library/app:1` is what people call `app:1`, and `app` means `app:latest`. */
function isNamed(tag: string, name: string): boolean {
  const short = (text: string) => text.replace(/^(docker\.io\/)?(library\/)?/, '');
  return short(tag) === short(name) || short(tag) === `${short(name)}:latest`;
}
