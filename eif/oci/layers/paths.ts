/**
 * Paths of layer entries. They are relative to the root of the image, whatever they begin with; one that climbs is refused, and links on
 * the way are followed as a process would whose root is the image, so that none leads out of it.
 * Specification: OCI image-spec 1.1, layer.md; path_resolution(7), chroot(2).
 */
import { OciError } from '../errors.ts';

/** NAME_MAX and PATH_MAX of Linux; the root of the application takes some of the latter. */
const MAX_NAME_BYTES = 255;
const MAX_PATH_BYTES = 4000;
/** Of the folder in which an entry lies, where links on the way have led: with the entry's own name it is no longer than a path. */
export const MAX_FOLDER_BYTES = MAX_PATH_BYTES - MAX_NAME_BYTES;
/** The kernel's own limit. */
export const MAX_LINKS = 40;

/** PATH_MAX with its NUL: the kernel that unpacks the image leaves out a link whose target is longer, or empty, and says nothing. */
const MAX_TARGET_BYTES = 4095;

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

function refused(path: string, why: string): OciError {
  return new OciError('EIF_OCI_PATH', `the entry ${JSON.stringify(path.slice(0, 200))} ${why}`);
}

/** @returns the names on the way; none for the root itself @throws OciError EIF_OCI_PATH */
export function namesOf(path: string): readonly string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  if (names.includes('..')) throw refused(path, 'leads out of the image');
  if (path.includes('\0') || !path.isWellFormed()) throw refused(path, 'has a name that no file can have');
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw refused(path, 'has too long a path');
  if (names.some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES)) throw refused(path, 'has too long a name');
  return names;
}

/** @returns the target of a symbolic link, as it stands there @throws OciError EIF_OCI_PATH */
export function linkTarget(path: string, target: string): string {
  if (target === '') throw refused(path, 'is a link to nothing');
  if (target.includes('\0') || !target.isWellFormed()) throw refused(path, 'is a link to what no path can be');
  if (Buffer.byteLength(target) > MAX_TARGET_BYTES) throw refused(path, 'is a link with too long a target');
  return target;
}

export type LayerPath =
  /** An entry; the folder that it lies in, and its name there. */
  | { readonly kind: 'entry'; readonly folder: readonly string[]; readonly name: string }
  | { readonly kind: 'root' }
  /** A name that layers below may have, and this image does not. */
  | { readonly kind: 'whiteout'; readonly folder: readonly string[]; readonly name: string }
  /** The folder has nothing of the layers below. */
  | { readonly kind: 'opaque'; readonly folder: readonly string[] };

/** @throws OciError EIF_OCI_PATH */
export function layerPath(path: string): LayerPath {
  const names = namesOf(path);
  const folder = names.slice(0, -1);
  const name = names.at(-1);
  if (folder.some((each) => each.startsWith(WHITEOUT))) throw refused(path, 'lies below a whiteout');
  if (name === undefined) return { kind: 'root' };
  if (!name.startsWith(WHITEOUT)) return { kind: 'entry', folder, name };
  if (name === OPAQUE) return { kind: 'opaque', folder };
  const hidden = name.slice(WHITEOUT.length);
  if (hidden === '' || hidden === '.' || hidden === '..' || hidden.startsWith(WHITEOUT))
    throw refused(path, 'is a whiteout of a kind that is not known');
  return { kind: 'whiteout', folder, name: hidden };
}
