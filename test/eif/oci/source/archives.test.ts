/** Images in archives: the same as in a folder, whichever program wrote them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { OciError } from '../../../../eif/oci/errors.ts';
import { readLayers } from '../../../../eif/oci/layers/read-layers.ts';
import { openDockerArchive, openOciArchive } from '../../../../eif/oci/source/archives.ts';
import type { ContainerImage } from '../../../../eif/oci/source/image.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import {
  ARCHITECTURE,
  digestOf,
  makeImage,
  type TestImage,
  writeDockerArchive,
  writeOciArchive,
} from '../support/layout.ts';
import { tarEntry, tarOf } from '../support/tar.ts';
import { contentsOf } from '../support/tree.ts';

const IMAGE: TestImage = { layers: [[{ name: 'a', text: 'one' }, { name: 'b' }], [{ name: '.wh.b' }]] };
const placeIn = (root: string, name = 'apart', signal = AbortSignal.timeout(60_000)) =>
  ({ architecture: ARCHITECTURE, folder: join(root, name), signal }) as const;

async function contents(root: string, image: ContainerImage) {
  return contentsOf(
    await readLayers(image, {
      spoolPath: join(root, 'spool'),
      signal: AbortSignal.timeout(60_000),
      onProgress: () => undefined,
    }),
  );
}

t.test('reads an OCI layout in an archive, and what docker save writes, to the same image', async (t) => {
  const [one, two] = [temporaryFolder(t), temporaryFolder(t)];
  const oci = await openOciArchive({ file: writeOciArchive(join(one, 'a.tar'), IMAGE), name: undefined }, placeIn(one));
  const docker = await openDockerArchive(
    { file: writeDockerArchive(join(two, 'a.tar'), IMAGE), name: undefined },
    placeIn(two),
  );
  t.equal(docker.configDigest, oci.configDigest);
  t.equal(oci.manifestDigest, makeImage(IMAGE).manifest.digest);
  t.equal(docker.manifestDigest, undefined);
  t.same(await contents(one, oci), { a: 'one' });
  t.same(await contents(two, docker), { a: 'one' });
});

t.test('reads an archive in which a layer that comes twice is a link to the first', async (t) => {
  const root = temporaryFolder(t);
  const { blobs, config, archives } = makeImage({
    layers: [[{ name: 'a', text: 'one' }], [{ name: 'a', text: 'one' }]],
  });
  const file = join(root, 'a.tar');
  const manifest = [{ Config: 'config.json', RepoTags: null, Layers: ['1/layer.tar', '2/layer.tar'] }];
  writeFileSync(
    file,
    tarOf([
      { name: '1/layer.tar', type: '2', target: '../2/layer.tar' },
      { name: '2/layer.tar', bytes: archives[1]! },
      { name: 'config.json', bytes: blobs.get(config.digest)! },
      { name: 'manifest.json', text: JSON.stringify(manifest) },
    ]),
  );
  t.same(await contents(root, await openDockerArchive({ file, name: undefined }, placeIn(root))), { a: 'one' });
});

t.test('reads an archive in which a member comes twice, with the last of them', async (t) => {
  const root = temporaryFolder(t);
  const file = writeDockerArchive(join(root, 'a.tar'), IMAGE);
  const twice = [{ name: 'manifest.json', text: '[]' }, { name: 'manifest.json', text: '{}' }, { name: 'more' }];
  writeFileSync(file, Buffer.concat([...twice.map(tarEntry), readFileSync(file)]));
  t.same(await contents(root, await openDockerArchive({ file, name: undefined }, placeIn(root))), { a: 'one' });
});

t.test('finds an image of an archive by the names that docker takes for it', async (t) => {
  const root = temporaryFolder(t);
  const file = writeDockerArchive(join(root, 'a.tar'), IMAGE, ['docker.io/library/app:latest', 'registry/app:2']);
  for (const [index, name] of ['app', 'app:latest', 'library/app:latest', 'registry/app:2'].entries()) {
    const place = placeIn(root, String(index));
    t.equal((await openDockerArchive({ file, name }, place)).configDigest, makeImage(IMAGE).config.digest);
  }
});

t.test('rejects a name that the archive has not, and lists those that it has (EIF_OCI_CHOICE)', async (t) => {
  const root = temporaryFolder(t);
  const file = writeDockerArchive(join(root, 'a.tar'), IMAGE, ['app:1']);
  const error = await rejectsCode(
    () => openDockerArchive({ file, name: 'app:2' }, placeIn(root)),
    OciError,
    'EIF_OCI_CHOICE',
  );
  t.equal(error.found, 'app:1');
});

t.test('rejects an archive without manifest, layer or file (EIF_OCI_READ)', async (t) => {
  const root = temporaryFolder(t);
  const file = join(root, 'a.tar');
  writeFileSync(file, tarOf([{ name: 'something' }]));
  await rejectsCode(() => openDockerArchive({ file, name: undefined }, placeIn(root)), OciError, 'EIF_OCI_READ');
  writeFileSync(file, tarOf([{ name: 'manifest.json', text: '[{"Config":"c","Layers":["../../etc/passwd"]}]' }]));
  const place = placeIn(root, '2');
  await rejectsCode(() => openDockerArchive({ file, name: undefined }, place), OciError, 'EIF_OCI_READ');
  await rejectsCode(() => openOciArchive({ file: join(root, 'no'), name: undefined }, place), OciError, 'EIF_OCI_READ');
});

t.test(
  'rejects a configuration that is not what its name says, and a layer that it does not name (EIF_OCI_DIGEST)',
  async (t) => {
    const root = temporaryFolder(t);
    const { blobs, config, archives } = makeImage(IMAGE);
    const archiveWith = (name: string, layer: Buffer) => {
      const file = join(root, `${name.slice(0, 8)}.tar`);
      const entries = [
        { name: `${name}.json`, bytes: blobs.get(config.digest)! },
        { name: '1', bytes: layer },
        { name: '2', bytes: archives[1]! },
        { name: 'manifest.json', text: JSON.stringify([{ Config: `${name}.json`, Layers: ['1', '2'] }]) },
      ];
      writeFileSync(file, tarOf(entries));
      return { file, name: undefined };
    };
    const wrong = archiveWith('0'.repeat(64), archives[0]!);
    await rejectsCode(() => openDockerArchive(wrong, placeIn(root)), OciError, 'EIF_OCI_DIGEST');
    const other = archiveWith(config.digest.slice(7), tarOf([{ name: 'a', text: 'other' }]));
    const image = await openDockerArchive(other, placeIn(root, '2'));
    t.not(digestOf(tarOf([{ name: 'a', text: 'other' }])), digestOf(archives[0]!));
    await rejectsCode(() => contents(root, image), OciError, 'EIF_OCI_DIGEST');
  },
);

t.test('stops within an archive when it is told to', async (t) => {
  const root = temporaryFolder(t);
  const file = writeDockerArchive(join(root, 'a.tar'), IMAGE);
  const signal = AbortSignal.abort();
  const opened = openDockerArchive({ file, name: undefined }, placeIn(root, 'apart', signal));
  t.equal(await opened.catch((error: unknown) => error), signal.reason);
});
