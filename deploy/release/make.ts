/** Makes a release: everything that is handed out, from one commit and its locked packages. The same commit gives the same bytes, but for ECDSA signatures. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SigningKey } from '../../attestation/published/keys.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { buildDebianPackage } from '../debian/build.ts';
import { releaseAt } from '../debian/release.ts';
import { DeployError } from '../errors.ts';
import { libraryArchive, npmArchive } from '../npm/archive.ts';
import { npmDependencies } from '../npm/contents.ts';
import { billOf } from './bill.ts';
import { type Commit, commitOf } from './commit.ts';
import { requireLocked } from './locked.ts';
import { readMeasurements } from './measurements.ts';
import { notesOf } from './notes.ts';
import { enclavePrograms } from './programs.ts';
import { provenanceOf } from './provenance.ts';
import { digestsIn, encodeSums, SIGNATURE, SUMS, sha256Of, signSums } from './sums.ts';

export interface ReleaseRequest {
  readonly projectFolder: string;
  readonly version: string;
  readonly maintainer: string;
  readonly key: SigningKey | undefined;
  /** Signed measurements of images of this release, made before. */
  readonly measurements: readonly string[];
  /** Made here; must be empty or absent. */
  readonly outputFolder: string;
  readonly onProgress: (step: string) => void;
}

export const provenanceName = (version: string): string => `acra-enclave-${version}.provenance.json`;
export const billName = (version: string): string => `acra-enclave-${version}.cdx.json`;

/** @throws DeployError RELEASE_COMMIT, RELEASE_VERSION */
function wholeCommit({ projectFolder, version }: ReleaseRequest): Commit {
  if (version !== packageJson.version) {
    throw new DeployError('RELEASE_VERSION', 'package.json is of another version', {
      found: packageJson.version,
      allowed: version,
    });
  }
  const commit = commitOf(projectFolder);
  if (commit.changed.length === 0) return commit;
  throw new DeployError('RELEASE_COMMIT', 'the checkout differs from its commit', {
    found: commit.changed.slice(0, 10).join(', '),
  });
}

/** @throws DeployError RELEASE_COMMIT, RELEASE_VERSION, RELEASE_PACKAGES, RELEASE_MEASUREMENTS, RELEASE_FOLDER, and those of each part */
export async function makeRelease(request: ReleaseRequest): Promise<Commit> {
  const { projectFolder, version, maintainer, key, outputFolder, onProgress } = request;
  const commit = wholeCommit(request);
  requireLocked(projectFolder);
  const measurements = readMeasurements(request.measurements, version);
  const notes = notesOf(readFileSync(join(projectFolder, 'CHANGELOG.md'), 'utf8'), version);
  if (existsSync(outputFolder) && readdirSync(outputFolder).length > 0)
    throw new DeployError('RELEASE_FOLDER', 'the folder of the release is not empty', { found: outputFolder });
  mkdirSync(outputFolder, { recursive: true });
  const write = (name: string, content: Buffer | string) =>
    writeFileSync(join(outputFolder, name), content, { mode: 0o644 });
  try {
    onProgress('npm package and verifier …');
    for (const { name, content } of [await npmArchive(projectFolder), await libraryArchive()]) write(name, content);
    onProgress('Debian package: a minute of compressing …');
    buildDebianPackage(projectFolder, outputFolder, releaseAt(commit.date, maintainer));
    onProgress('bill of materials, notes and provenance …');
    write(
      billName(version),
      billOf(projectFolder, npmDependencies(projectFolder), await enclavePrograms(projectFolder)),
    );
    write('RELEASE_NOTES.md', notes);
    for (const [name, content] of measurements) write(name, content);
    const lockFile = readFileSync(join(projectFolder, 'package-lock.json'));
    const materials = new Map(
      [['package-lock.json', lockFile] as const, ...measurements].map(([name, content]) => [name, sha256Of(content)]),
    );
    const build = { version, maintainer, gitCommit: commit.hash, materials, files: digestsIn(outputFolder) };
    write(provenanceName(version), provenanceOf(build, key));
    const sums = encodeSums(digestsIn(outputFolder));
    write(SUMS, sums);
    if (key !== undefined) write(SIGNATURE, signSums(sums, key));
    return commit;
  } catch (error) {
    rmSync(outputFolder, { recursive: true, force: true });
    throw error;
  }
}
