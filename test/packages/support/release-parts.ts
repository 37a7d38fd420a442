/** What is in the files of a release, read by tar and dpkg-deb. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const MANIFEST = /(^|\/)node_modules\/(@[^/]+\/)?[^/@.][^/]*\/package\.json$/;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const readManifest = (file: string): Manifest => JSON.parse(readFileSync(file, 'utf8'));

function unpack(archive: string, into: string): string {
  mkdirSync(into);
  if (archive.endsWith('.deb')) execFileSync('dpkg-deb', ['--extract', archive, into]);
  else execFileSync('tar', ['-xzf', archive, '-C', into]);
  return into;
}

const purl = (name: string, version: string): string => `pkg:npm/${name.replace('@', '%40')}@${version}`;

/** Packages of others in an archive, and those that it asks npm for, as package URLs. @param into made here */
export function packagesIn(archive: string, into: string): ReadonlySet<string> {
  const folder = unpack(archive, into);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const brought = files.filter((name) => MANIFEST.test(name)).map((name) => readManifest(join(folder, name)));
  const asked = files
    .filter((name) => name === 'package/package.json')
    .map((name) => readManifest(join(folder, name)))
    .flatMap(({ dependencies, optionalDependencies }) => Object.entries({ ...dependencies, ...optionalDependencies }));
  return new Set([
    ...brought.map(({ name, version }) => purl(name, version)),
    ...asked.map(([name, version]) => purl(name, version)),
  ]);
}
