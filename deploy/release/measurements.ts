/** Signed measurements of images that a release hands out too. They are the word of those who signed them; here only their release is looked at. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type PublishedFile, parsePublished } from '../../attestation/published/read.ts';
import type { ErrorDetails } from '../../runtime/errors.ts';
import { DeployError } from '../errors.ts';

const NAME = /\.measurements$/;

function refuse(path: string, details: ErrorDetails): DeployError {
  return new DeployError('RELEASE_MEASUREMENTS', `${path} cannot be added to the release`, details);
}

interface Measured {
  readonly content: Buffer;
  readonly published: PublishedFile;
}

function readMeasured(path: string): Measured {
  try {
    const content = readFileSync(path);
    return { content, published: parsePublished(content) };
  } catch (cause) {
    throw refuse(path, { cause });
  }
}

/**
 * @returns contents by the name that they have in the release
 * @throws DeployError RELEASE_MEASUREMENTS, RELEASE_VERSION
 */
export function readMeasurements(paths: readonly string[], version: string): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const path of paths) {
    const name = basename(path);
    if (!NAME.test(name) || files.has(name))
      throw refuse(path, {
        found: files.has(name) ? 'another file of that name' : name,
        allowed: 'names that differ, and end with .measurements',
      });
    const { content, published } = readMeasured(path);
    if (published.kind === 'plain') throw refuse(path, { found: 'no signature' });
    const release = published.content.statement?.release;
    if (release !== version)
      throw new DeployError('RELEASE_VERSION', `${path} measures another release`, {
        found: release ?? 'none',
        allowed: version,
      });
    files.set(name, content);
  }
  return files;
}
