/** Images in OCI layouts: which one is taken, and what is refused by its digest or its kind. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { OciError } from '../../../../eif/oci/errors.ts';
import { readLayers } from '../../../../eif/oci/layers/read-layers.ts';
import { openLayout } from '../../../../eif/oci/source/layout.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import {
  ARCHITECTURE,
  type Descriptor,
  digestOf,
  layoutFiles,
  makeImage,
  PLATFORM,
  type TestImage,
  writeFiles,
  writeLayout,
} from '../support/layout.ts';
import { contentsOf, readImage } from '../support/tree.ts';

const ONE: TestImage = { layers: [[{ name: 'a', text: 'one' }]] };
const OTHER: TestImage = { layers: [[{ name: 'a', text: 'other' }]] };
const REF_NAME = 'org.opencontainers.image.ref.name';

interface Named {
  readonly image: TestImage;
  readonly changes?: object;
}

/** A layout with several images in its index. */
function layoutOf(folder: string, images: readonly Named[]): string {
  const made = images.map(({ image, changes }) => ({ image: makeImage(image), changes }));
  const blobs = new Map(made.flatMap(({ image }) => [...image.blobs]));
  return writeFiles(
    folder,
    layoutFiles(
      blobs,
      made.map(({ image, changes }) => ({ ...image.manifest, ...changes })),
    ),
  );
}

const named = (image: TestImage, name: string): Named => ({ image, changes: { annotations: { [REF_NAME]: name } } });
const open = (folder: string, tag?: string) => openLayout(folder, tag, ARCHITECTURE);

for (const form of ['tar', 'gzip', 'zstd'] as const) {
  t.test(`reads layers as ${form}`, async (t) => {
    const read = await readImage(t, { ...ONE, form });
    t.same(await contentsOf(read), { a: 'one' });
  });
}

t.test('tells the digests that name the image', async (t) => {
  const { config, manifest, archives } = makeImage(ONE);
  const image = await open(writeLayout(temporaryFolder(t), ONE));
  t.equal(image.configDigest, config.digest);
  t.equal(image.manifestDigest, manifest.digest);
  t.same(
    image.layers.map(({ diffId }) => diffId),
    archives.map(digestOf),
  );
  t.equal(image.platform, `linux/${PLATFORM.architecture}`);
});

t.test('takes the only image, or the one of a tag or digest', async (t) => {
  const folder = layoutOf(temporaryFolder(t), [named(ONE, 'v1'), named(OTHER, 'v2')]);
  const configOf = async (tag: string) => (await open(folder, tag)).configDigest;
  t.equal(await configOf('v1'), makeImage(ONE).config.digest);
  t.equal(await configOf('v2'), makeImage(OTHER).config.digest);
  t.equal(await configOf(makeImage(OTHER).manifest.digest), makeImage(OTHER).config.digest);
});

t.test('rejects to choose between images, and lists their names (EIF_OCI_CHOICE)', async (t) => {
  const folder = layoutOf(temporaryFolder(t), [named(ONE, 'v1'), named(OTHER, 'v2')]);
  for (const tag of [undefined, 'v3']) {
    const error = await rejectsCode(() => open(folder, tag), OciError, 'EIF_OCI_CHOICE');
    t.equal(error.found, 'v1, v2');
  }
});

t.test('follows an index to the image for this processor, past what is said about it', async (t) => {
  const [own, foreign] = [makeImage(ONE), makeImage({ ...OTHER, platform: { architecture: 'riscv64', os: 'linux' } })];
  const statement = makeImage(OTHER);
  const index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      manifests: [
        { ...foreign.manifest, platform: { architecture: 'riscv64', os: 'linux' } },
        { ...own.manifest, platform: PLATFORM },
        { ...statement.manifest, annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } },
      ],
    }),
  );
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const descriptor = { mediaType, digest: digestOf(index), size: index.length };
  const blobs = new Map([...foreign.blobs, ...own.blobs, ...statement.blobs, [descriptor.digest, index]]);
  const image = await open(writeFiles(temporaryFolder(t), layoutFiles(blobs, [descriptor])));
  t.equal(image.configDigest, own.config.digest);
});

t.test('takes of images for several generations of the processor the one that runs on each', async (t) => {
  const [own, newer] = [makeImage(ONE), makeImage(OTHER)];
  const manifests = [
    { ...newer.manifest, platform: { ...PLATFORM, variant: 'v3' } },
    { ...own.manifest, platform: PLATFORM },
  ];
  const blobs = new Map([...own.blobs, ...newer.blobs]);
  const image = await open(writeFiles(temporaryFolder(t), layoutFiles(blobs, manifests)));
  t.equal(image.configDigest, own.config.digest);
});

t.test('rejects an image for another processor or system, by index or configuration (EIF_OCI_PLATFORM)', async (t) => {
  const riscv = { architecture: 'riscv64', os: 'linux' };
  const windows = { ...PLATFORM, os: 'windows' };
  for (const platform of [riscv, windows]) {
    const root = temporaryFolder(t);
    const folders = [
      writeLayout(join(root, 'a'), { ...ONE, platform }),
      layoutOf(join(root, 'b'), [{ image: ONE, changes: { platform } }]),
    ];
    for (const folder of folders) await rejectsCode(() => open(folder), OciError, 'EIF_OCI_PLATFORM');
  }
});

/** An image whose manifest names other parts than it has. */
function withManifest(folder: string, change: (config: Descriptor, layer: Descriptor) => object): string {
  const { blobs, config, layers } = makeImage(ONE);
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, ...change(config, layers[0]!) }));
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const descriptor = { mediaType, digest: digestOf(manifest), size: manifest.length };
  return writeFiles(folder, layoutFiles(new Map([...blobs, [descriptor.digest, manifest]]), [descriptor]));
}

t.test('rejects kinds that it does not know, by their names (EIF_OCI_MEDIA_TYPE)', async (t) => {
  const encrypted = 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted';
  const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
  const chart = 'application/vnd.cncf.helm.config.v1+json';
  const root = temporaryFolder(t);
  const cases: readonly (readonly [string, string])[] = [
    [
      encrypted,
      withManifest(join(root, '1'), (config, layer) => ({ config, layers: [{ ...layer, mediaType: encrypted }] })),
    ],
    [
      foreign,
      withManifest(join(root, '2'), (config, layer) => ({ config, layers: [{ ...layer, mediaType: foreign }] })),
    ],
    [
      chart,
      withManifest(join(root, '3'), (config, layer) => ({ config: { ...config, mediaType: chart }, layers: [layer] })),
    ],
    ['text/plain', layoutOf(join(root, '4'), [{ image: ONE, changes: { mediaType: 'text/plain' } }])],
  ];
  for (const [found, folder] of cases) {
    const error = await rejectsCode(() => open(folder), OciError, 'EIF_OCI_MEDIA_TYPE');
    t.equal(error.found, found);
  }
});

t.test('rejects an index that leads to itself (EIF_OCI_DOCUMENT)', async (t) => {
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  let inner: object = makeImage(ONE).manifest;
  const blobs = new Map(makeImage(ONE).blobs);
  for (let depth = 0; depth < 4; depth++) {
    const index = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [inner] }));
    blobs.set(digestOf(index), index);
    inner = { mediaType, digest: digestOf(index), size: index.length };
  }
  const folder = writeFiles(temporaryFolder(t), layoutFiles(blobs, [inner]));
  await rejectsCode(() => open(folder), OciError, 'EIF_OCI_DOCUMENT');
});

t.test('rejects documents that are none (EIF_OCI_DOCUMENT)', async (t) => {
  const root = temporaryFolder(t);
  for (const [index, [name, text]] of [
    ['index.json', '{'],
    ['index.json', '{"schemaVersion":1,"manifests":[]}'],
    ['index.json', '{"schemaVersion":2,"manifests":[{"mediaType":"a","digest":"md5:0","size":1}]}'],
    ['oci-layout', '{"imageLayoutVersion":"2.0.0"}'],
    ['oci-layout', '\xff'],
  ].entries()) {
    const folder = writeLayout(join(root, String(index)), ONE);
    writeFileSync(join(folder, name!), text!, 'latin1');
    await rejectsCode(() => open(folder), OciError, 'EIF_OCI_DOCUMENT');
  }
});

t.test('rejects a configuration with another number of layers (EIF_OCI_DOCUMENT)', async (t) => {
  const folder = withManifest(temporaryFolder(t), (config, layer) => ({ config, layers: [layer, layer] }));
  await rejectsCode(() => open(folder), OciError, 'EIF_OCI_DOCUMENT');
});

t.test('rejects a folder that holds no layout, and a blob that is not there (EIF_OCI_READ)', async (t) => {
  const root = temporaryFolder(t);
  await rejectsCode(() => open(join(root, 'nothing')), OciError, 'EIF_OCI_READ');
  mkdirSync(join(root, 'blobless'));
  const { manifest } = makeImage(ONE);
  const folder = writeFiles(join(root, 'blobless'), layoutFiles(new Map(), [manifest]));
  await rejectsCode(() => open(folder), OciError, 'EIF_OCI_READ');
});

t.test('rejects a manifest, configuration or layer that is not what its digest says (EIF_OCI_DIGEST)', async (t) => {
  const root = temporaryFolder(t);
  for (const part of ['manifest', 'config', 'layer'] as const) {
    for (const [how, change] of [
      ['changed', (bytes: Buffer) => Buffer.concat([Buffer.from([bytes[0]! ^ 1]), bytes.subarray(1)])],
      ['longer', (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(512)])],
      ['shorter', (bytes: Buffer) => bytes.subarray(0, -512)],
    ] as const) {
      const { blobs, manifest, config, layers } = makeImage(ONE);
      const { digest } = { manifest, config, layer: layers[0]! }[part];
      const changed = new Map([...blobs, [digest, change(blobs.get(digest)!)]]);
      const folder = writeFiles(join(root, `${part}-${how}`), layoutFiles(changed, [manifest]));
      const read = async () =>
        readLayers(await open(folder), {
          spoolPath: join(root, `${part}-${how}.spool`),
          signal: AbortSignal.timeout(60_000),
          onProgress: () => undefined,
        });
      // A layer may be no archive any more before its end is there to be hashed.
      const isEarlier = part === 'layer' && how === 'changed';
      await rejectsCode(read, OciError, isEarlier ? 'EIF_OCI_LAYER' : 'EIF_OCI_DIGEST');
    }
  }
});

t.test(
  'rejects an archive that is not what the configuration names, though its blob is (EIF_OCI_DIGEST)',
  async (t) => {
    const config = { rootfs: { type: 'layers', diff_ids: [digestOf(Buffer.from('another'))] } };
    await rejectsCode(() => readImage(t, { ...ONE, config, form: 'gzip' }), OciError, 'EIF_OCI_DIGEST');
  },
);

t.test(
  'rejects bytes after the end of a compressed layer, and what is not compressed as said (EIF_OCI_LAYER)',
  async (t) => {
    const root = temporaryFolder(t);
    const { blobs, config, layers } = makeImage({ ...ONE, form: 'gzip' });
    const own = blobs.get(layers[0]!.digest)!;
    for (const [index, bytes] of [Buffer.concat([own, Buffer.alloc(300_000, 'x')]), Buffer.alloc(600, 'x')].entries()) {
      const digest = digestOf(bytes);
      const layer = { ...layers[0], digest, size: bytes.length };
      const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers: [layer] }));
      const mediaType = 'application/vnd.oci.image.manifest.v1+json';
      const descriptor = { mediaType, digest: digestOf(manifest), size: manifest.length };
      const all = new Map([...blobs, [digest, bytes] as const, [descriptor.digest, manifest] as const]);
      const folder = writeFiles(join(root, String(index)), layoutFiles(all, [descriptor]));
      const read = async () =>
        readLayers(await open(folder), {
          spoolPath: join(root, `${index}.spool`),
          signal: AbortSignal.timeout(60_000),
          onProgress: () => undefined,
        });
      await rejectsCode(read, OciError, 'EIF_OCI_LAYER');
    }
  },
);

t.test('bounds the files of all layers together, those that are replaced too (EIF_OCI_LIMIT)', async (t) => {
  const root = temporaryFolder(t);
  const large = (name: string) => ({ name, bytes: Buffer.alloc(600) });
  const image = await open(writeLayout(join(root, 'i'), { layers: [[large('a')], [large('a'), large('b')]] }));
  const read = (maxBytes: number) =>
    readLayers(image, {
      spoolPath: join(root, `${maxBytes}.spool`),
      signal: AbortSignal.timeout(60_000),
      onProgress: () => undefined,
      maxBytes,
    });
  t.ok(await read(1_800));
  const error = await rejectsCode(() => read(1_799), OciError, 'EIF_OCI_LIMIT');
  t.equal(error.found, '1800 bytes up to "b"');
});
