/** What `--image` may be: something that is on this machine, or a name in a registry. Names: distribution's reference grammar. */
import { resolve } from 'node:path';
import { OciError } from '../errors.ts';

export type ImageName =
  | {
      readonly kind: 'oci' | 'oci-archive' | 'docker-archive';
      readonly path: string;
      readonly name: string | undefined;
    }
  | { readonly kind: 'registry'; readonly reference: string };

const LOCAL = /^(oci|oci-archive|docker-archive):([^:]+)(?::(.+))?$/s;
/** Other forms of skopeo's, which would be read as names. */
const OTHER = /^(?:containers-storage|dir|docker-daemon|ostree|sif|tarball):|^docker:(?!\/\/)/;
const REFERENCE =
  /^(?:[A-Za-z0-9.-]+(?::\d{1,5})?\/|\[[0-9a-f:]+\](?::\d{1,5})?\/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;

/** @param folder that paths are relative to; they become absolute @throws OciError EIF_OCI_NAME */
export function parseImageName(text: string, folder: string): ImageName {
  const [, kind, path, name] = LOCAL.exec(text) ?? [];
  if (path !== undefined && (kind === 'oci' || kind === 'oci-archive' || kind === 'docker-archive'))
    return { kind, path: resolve(folder, path), name };
  const reference = text.replace(/^docker:\/\//, '');
  if (!OTHER.test(text) && REFERENCE.test(reference)) return { kind: 'registry', reference };
  throw new OciError('EIF_OCI_NAME', '--image names no image', {
    found: JSON.stringify(text),
    allowed: 'oci:FOLDER[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], or a name in a registry',
  });
}

/** A name in a registry without tag and digest. */
export function repositoryOf(reference: string): string {
  return reference.replace(/@.*$/, '').replace(/:[^:/\]]*$/, '');
}
