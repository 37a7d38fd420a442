/**
 * The lock file beside the measured folder (`enclave.lock.json` for `enclave/`): which container image the enclave image is made of. Written
 * when an image is taken for the first time, and what is trusted ever after: a tag that was moved, or a folder that was written again, does
 * not get into an enclave unseen. It is not measured, and so not in the folder: what is in the image is measured, file by file.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { errorCode } from '../../runtime/errors.ts';
import { OciError } from './errors.ts';
import { digest } from './source/documents.ts';
import type { ContainerImage } from './source/image.ts';

/** @param enclaveFolder the measured folder */
export function lockFile(enclaveFolder: string): string {
  return `${resolve(enclaveFolder)}.lock.json`;
}

const lockSchema = z.strictObject({
  version: z.literal(1),
  /** What was given when it was locked; for people. */
  image: z.string(),
  platform: z.string(),
  /** What `NAME@…` means; absent for an archive of docker, which has no manifest. */
  manifest: digest.exactOptional(),
  config: digest,
  /** Of the uncompressed archives, the lowest first. */
  layers: z.array(digest),
});
export type ImageLock = z.output<typeof lockSchema>;

/** @param given what names the image, as the operator wrote it */
export function lockOf({ platform, manifestDigest, configDigest, layers }: ContainerImage, given: string): ImageLock {
  return {
    version: 1,
    image: given,
    platform,
    ...(manifestDigest === undefined ? {} : { manifest: manifestDigest }),
    config: configDigest,
    layers: layers.map(({ diffId }) => diffId),
  };
}

/** @returns undefined where there is none. @throws OciError EIF_OCI_LOCK_INVALID */
export async function readImageLock(file: string): Promise<ImageLock | undefined> {
  try {
    return lockSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined;
    throw new OciError('EIF_OCI_LOCK_INVALID', `${file} cannot be read`, { cause });
  }
}

/** Another compression of the same layers makes another manifest and the same image: what is locked is the configuration. */
export function requireLocked(lock: ImageLock, found: ImageLock): void {
  const isSame =
    lock.config === found.config &&
    lock.platform === found.platform &&
    lock.layers.length === found.layers.length &&
    lock.layers.every((layer, index) => layer === found.layers[index]);
  if (isSame) return;
  throw new OciError('EIF_OCI_LOCKED', `${found.image} is another image than the lock file names`, {
    found: `configuration ${found.config}${found.manifest === undefined ? '' : `, manifest ${found.manifest}`}`,
    allowed: `configuration ${lock.config}${lock.manifest === undefined ? '' : `, manifest ${lock.manifest}`}`,
  });
}

/** Whole or not at all. @throws OciError EIF_OCI_LOCK_INVALID */
export async function writeImageLock(file: string, lock: ImageLock): Promise<void> {
  const temporary = `${file}.${process.pid}.new`;
  try {
    await writeFile(temporary, `${JSON.stringify(lock, null, 2)}\n`, { mode: 0o644 });
    await rename(temporary, file);
  } catch (cause) {
    throw new OciError('EIF_OCI_LOCK_INVALID', `cannot write ${file}`, { cause });
  }
}
