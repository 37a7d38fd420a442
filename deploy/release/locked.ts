/**
 * Whether npm installed what package-lock.json names. npm compares each archive with the digest it has; but one that is not locked, or
 * not in the version that package.json asks for, it takes from the registry as it comes, and says nothing.
 *
 * Specification: docs.npmjs.com, package-lock.json, lockfileVersion 3, and its copy of what is installed, node_modules/.package-lock.json.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeployError } from '../errors.ts';

interface Locked {
  readonly version?: string;
  /** W3C Subresource Integrity. */
  readonly integrity?: string;
}

function packagesOf(file: string): Readonly<Record<string, Locked>> {
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly packages: Readonly<Record<string, Locked>> }).packages;
}

/** @throws DeployError RELEASE_PACKAGES */
export function requireLocked(projectFolder: string): void {
  const locked = packagesOf(join(projectFolder, 'package-lock.json'));
  const installed = packagesOf(join(projectFolder, 'node_modules/.package-lock.json'));
  const other = Object.entries(installed).filter(
    ([folder, { version, integrity }]) =>
      integrity === undefined || integrity !== locked[folder]?.integrity || version !== locked[folder].version,
  );
  if (other.length === 0) return;
  throw new DeployError('RELEASE_PACKAGES', 'npm installed packages that package-lock.json does not name by a digest', {
    found: other.map(([folder, { version }]) => `${folder} ${version ?? 'without a version'}`).join(', '),
  });
}
