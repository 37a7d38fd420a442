/** Images of a registry, brought by the real skopeo: fetched once, asked for each time, and held against the digests. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { OciError } from '../../../../eif/oci/errors.ts';
import { openFromRegistry } from '../../../../eif/oci/source/registry.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { ARCHITECTURE, digestOf, makeImage, PLATFORM, type TestImage } from '../support/layout.ts';
import { startRegistry } from '../support/registry.ts';

const ONE: TestImage = { layers: [[{ name: 'a', text: 'one' }]], form: 'gzip' };
const OTHER: TestImage = { layers: [[{ name: 'a', text: 'other' }]], form: 'gzip' };
const INDEX = 'application/vnd.oci.image.index.v1+json';

function hasSkopeo(): boolean {
  try {
    execFileSync('skopeo', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const skip = hasSkopeo() ? false : 'skopeo is not installed';

function storedOf(...images: readonly TestImage[]) {
  return new Map(
    images.map(makeImage).flatMap(({ blobs, manifest }) =>
      [...blobs].map(([digest, bytes]) => {
        const mediaType = digest === manifest.digest ? manifest.mediaType : 'application/octet-stream';
        return [digest, { mediaType, bytes }] as const;
      }),
    ),
  );
}

function contextIn(folder: string, environment: Readonly<Record<string, string>>) {
  return {
    architecture: ARCHITECTURE,
    cacheFolder: join(folder, 'cache'),
    environment,
    signal: AbortSignal.timeout(60_000),
    onProgress: () => undefined,
  } as const;
}

t.test('fetches what a tag means once, and asks each time what it means', { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const registry = await startRegistry(t, folder, storedOf(ONE, OTHER));
  const context = contextIn(folder, registry.environment);
  const open = () => openFromRegistry(`${registry.host}/team/app:v1`, context);
  registry.tags.set('v1', makeImage(ONE).manifest.digest);
  const image = await open();
  t.equal(image.configDigest, makeImage(ONE).config.digest);
  t.equal(image.manifestDigest, makeImage(ONE).manifest.digest, 'as the registry has it');
  const blobs = () => registry.asked.filter((path) => path.includes('/blobs/')).length;
  const before = blobs();
  t.ok(before > 0);
  t.equal((await open()).configDigest, image.configDigest);
  t.equal(blobs(), before, 'nothing is fetched again');
  registry.tags.set('v1', makeImage(OTHER).manifest.digest);
  t.equal((await open()).configDigest, makeImage(OTHER).config.digest);
  t.same(
    readdirSync(context.cacheFolder).filter((name) => name.startsWith('.')),
    [],
    'nothing half-fetched is left',
  );
});

t.test('takes of an index the image for this processor', { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const foreign = makeImage({ ...OTHER, platform: { architecture: 'riscv64', os: 'linux' } });
  const own = makeImage(ONE);
  const manifests = [
    { ...foreign.manifest, platform: { architecture: 'riscv64', os: 'linux' } },
    { ...own.manifest, platform: PLATFORM },
  ];
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }));
  const stored = new Map([...storedOf(ONE), [digestOf(bytes), { mediaType: INDEX, bytes }] as const]);
  const registry = await startRegistry(t, folder, stored);
  const image = await openFromRegistry(
    `${registry.host}/team/app@${digestOf(bytes)}`,
    contextIn(folder, registry.environment),
  );
  t.equal(image.manifestDigest, own.manifest.digest);
});

t.test('tells in skopeo’s words what could not be fetched (EIF_OCI_FETCH)', { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const registry = await startRegistry(t, folder, new Map());
  const open = () => openFromRegistry(`${registry.host}/team/app:v1`, contextIn(folder, registry.environment));
  t.match((await rejectsCode(open, OciError, 'EIF_OCI_FETCH')).message, /manifest/);
});

t.test('names the package where there is no skopeo, and what needs none (EIF_OCI_SKOPEO_MISSING)', async (t) => {
  const folder = temporaryFolder(t);
  await rejectsCode(
    () => openFromRegistry('app:1', contextIn(folder, { PATH: folder })),
    OciError,
    'EIF_OCI_SKOPEO_MISSING',
  );
});

t.test('rejects what a program calls an image that the name does not mean (EIF_OCI_DIGEST)', async (t) => {
  const folder = temporaryFolder(t);
  const { blobs, manifest } = makeImage(ONE);
  const programs = join(folder, 'bin');
  mkdirSync(programs);
  writeFileSync(join(folder, 'manifest'), blobs.get(manifest.digest)!);
  const copies = `#!/bin/sh\ncase "$1" in inspect) echo '{"schemaVersion":2,"manifests":[]}';; *) for last; do :; done; cp "${folder}/manifest" "\${last#dir:}/manifest.json";; esac\n`;
  writeFileSync(join(programs, 'skopeo'), copies, { mode: 0o755 });
  const context = contextIn(folder, { PATH: `${programs}:/usr/bin:/bin` });
  await rejectsCode(() => openFromRegistry('app:1', context), OciError, 'EIF_OCI_DIGEST');
});
