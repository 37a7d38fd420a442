/**
 * The bill of materials of a release, for scanners: every npm package in it and beside it, the pinned Node and other native parts for each
 * processor, and the programs that go into images, by whose digests an image's own bill can be compared with a release.
 *
 * Specifications: CycloneDX 1.6 (ECMA-424); purl-spec, type npm; package-lock.json, lockfileVersion 3 (`integrity`, W3C SRI).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageUrl } from '../../eif/rootfs/npm-package.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { byCodeUnits } from '../../runtime/code-units.ts';
import type { Dependencies } from '../npm/dependencies.ts';

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly license?: string;
}

/** SHA-256 of a file, by its path in an image. */
export type ProgramDigests = ReadonlyMap<string, string>;

/** One identifier is `id`; several, or none of the list, are an expression or a name. */
function licences(license: string | undefined): object {
  if (license === undefined) return {};
  if (/ (OR|AND|WITH) /.test(license)) return { licenses: [{ expression: license }] };
  return { licenses: [{ license: /^[\w.+-]+$/.test(license) ? { id: license } : { name: license } }] };
}

/** Of the archive that npm loads. */
function hashes(integrity: string | undefined): object {
  const [algorithm = '', digest = ''] = (integrity ?? '').split('-', 2);
  if (algorithm !== 'sha512') return {};
  return { hashes: [{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }] };
}

function component(name: string, { version, integrity, license }: Locked, scope: 'required' | 'optional'): object {
  const purl = packageUrl({ name, version });
  const [group, plain] = name.startsWith('@') ? name.split('/') : [undefined, name];
  return {
    type: 'library',
    'bom-ref': purl,
    ...(group === undefined ? {} : { group }),
    name: plain,
    version,
    scope,
    ...hashes(integrity),
    ...licences(license),
    purl,
  };
}

const nameIn = (folder: string): string => folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);

export function billOf(projectFolder: string, { folders, platform }: Dependencies, programs: ProgramDigests): Buffer {
  const lock: { readonly packages: Readonly<Record<string, Locked>> } = JSON.parse(
    readFileSync(join(projectFolder, 'package-lock.json'), 'utf8'),
  );
  const locked = (folder: string): Locked => lock.packages[folder] ?? { version: '' };
  const { name, version, license } = packageJson;
  const own = packageUrl({ name, version });
  const libraries = new Map(
    [
      ...folders.map((folder) => [nameIn(folder), locked(folder), 'required'] as const),
      ...Object.keys(platform).map((each) => [each, locked(`node_modules/${each}`), 'optional'] as const),
    ].map(([each, entry, scope]) => [
      packageUrl({ name: each, version: entry.version }),
      component(each, entry, scope),
    ]),
  );
  const files = [...programs].map(([path, content]) => ({
    type: 'file',
    'bom-ref': `enclave:/${path}`,
    name: `/${path}`,
    hashes: [{ alg: 'SHA-256', content }],
  }));
  const bill = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', 'bom-ref': own, name, version, ...licences(license), purl: own } },
    components: [
      ...[...libraries].toSorted(([a], [b]) => byCodeUnits(a, b)).map(([, each]) => each),
      { type: 'application', 'bom-ref': 'enclave-programs', name: 'enclave-programs', version, components: files },
    ],
    dependencies: [{ ref: own, dependsOn: [...libraries.keys()].sort() }],
  };
  return Buffer.from(`${JSON.stringify(bill, null, 2)}\n`);
}
