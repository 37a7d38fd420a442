/**
 * One SHA-256 over a measured folder: what files it holds, by content and name. Modes, owners and empty folders do not count, which an
 * image sets by rule, so that the folder that an image is built from and the one that the enclave finds have the same. In the folder,
 * anybody with GNU's coreutils and findutils has it by
 *
 *   find . -type f -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' sha256sum -- | sha256sum
 *
 * A line for each file: its SHA-256 in hexadecimal, two spaces, its path with `/`, a line feed; in the order of the paths' bytes.
 */
import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError } from '../../runtime/errors.ts';
import { sha256OfFile } from '../../system/files/file-digest.ts';
import { AttestationError } from '../errors.ts';

/** SHA-256 as lower-case hex, by the path relative to the folder. */
export type FileDigests = ReadonlyMap<string, string>;

/** sha256sum writes such names otherwise than they are, and what is no UTF-8 does not survive being read. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are meant
const UNWRITABLE = /[\x00-\x1f\x7f\\\ufffd]/;

/** @throws AttestationError ATTESTATION_FOLDER_UNREADABLE also for links, sockets and devices, and for names that have no plain form */
export async function digestFiles(folder: string): Promise<FileDigests> {
  const digests = new Map<string, string>();
  try {
    await visit(folder, '', digests);
  } catch (error) {
    if (error instanceof AttestationError) throw error;
    throw unreadable(`the measured folder cannot be read: ${describeError(error)}`, error);
  }
  return digests;
}

async function visit(folder: string, path: string, digests: Map<string, string>): Promise<void> {
  for (const entry of await readdir(join(folder, path), { withFileTypes: true })) {
    const name = path === '' ? entry.name : `${path}/${entry.name}`;
    if (entry.isDirectory()) await visit(folder, name, digests);
    else digests.set(requirePlain(name, entry), await sha256OfFile(join(folder, name)));
  }
}

function requirePlain(name: string, entry: Dirent): string {
  if (!entry.isFile()) throw unreadable(`${JSON.stringify(name)} in the measured folder is no plain file`);
  return name;
}

function unreadable(message: string, cause?: unknown): AttestationError {
  return new AttestationError('ATTESTATION_FOLDER_UNREADABLE', message, cause === undefined ? {} : { cause });
}

/** @returns lower-case hex. @throws AttestationError ATTESTATION_FOLDER_UNREADABLE for names that have no plain form */
export function folderDigest(files: FileDigests): string {
  const hash = createHash('sha256');
  const byBytes = [...files].map(([path, digest]) => ({ path, digest, bytes: Buffer.from(path) }));
  byBytes.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  for (const { path, digest } of byBytes) {
    if (UNWRITABLE.test(path))
      throw unreadable(`the name ${JSON.stringify(path)} in the measured folder has no plain form`);
    hash.update(`${digest}  ${path}\n`);
  }
  return hash.digest('hex');
}
