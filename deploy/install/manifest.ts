/** What an installation put on the machine, so that the next one and `make uninstall` remove exactly that. */

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, normalize } from 'node:path';
import { DeployError } from '../errors.ts';

export interface Manifest {
  /** Paths as they are at run time, without DESTDIR. Files and links: */
  readonly files: readonly string[];
  /** Folders that did not exist before, outermost first. */
  readonly folders: readonly string[];
  /** Configuration files with the SHA-256 of what was written: one that differs is the operator's. */
  readonly configs: Readonly<Record<string, string>>;
}

export const EMPTY_MANIFEST: Manifest = { files: [], folders: [], configs: {} };

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

const isPath = (value: unknown) => typeof value === 'string' && isAbsolute(value) && normalize(value) === value;

function parseManifest(text: string): Manifest {
  const { files, folders, configs }: Manifest = JSON.parse(text);
  return { files: [...files], folders: [...folders], configs: { ...configs } };
}

/** @returns an empty manifest when nothing is installed. @throws DeployError INSTALL_MANIFEST when the file is not a manifest. */
export function readManifest(file: string): Manifest {
  if (!existsSync(file)) return EMPTY_MANIFEST;
  try {
    const manifest = parseManifest(readFileSync(file, 'utf8'));
    if ([...manifest.files, ...manifest.folders, ...Object.keys(manifest.configs)].every(isPath)) return manifest;
  } catch (cause) {
    throw new DeployError('INSTALL_MANIFEST', `${file} is not a list of installed files`, { cause });
  }
  throw new DeployError('INSTALL_MANIFEST', `${file} is not a list of installed files`, {
    allowed: 'absolute paths without . and ..',
  });
}

export function formatManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 1)}\n`;
}
