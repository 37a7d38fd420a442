/** Taking an image apart and putting it together again gives the same file. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { EifError } from '../../eif/errors.ts';
import { buildFromManifest, extractImage } from '../../eif/extract.ts';
import { rejectsCode } from '../support/coded-error.ts';
import { COMPLETE, TOY, writeImage, writeSignedImage } from './support/images.ts';

async function extracted(path: string): Promise<string> {
  const folder = join(dirname(path), 'parts');
  await extractImage(path, folder);
  return folder;
}

t.test('gives the same file back, signed or not', async (t) => {
  const odd = { ...TOY, architecture: 'aarch64' as const, defaultMemBytes: 2n ** 64n - 1n, defaultCpus: 0n };
  for (const path of [
    await writeImage(t, odd),
    await writeImage(t, { ...TOY, ramdisks: [] }),
    await writeSignedImage(t, 'es512'),
  ]) {
    const folder = await extracted(path);
    const output = join(dirname(path), 'again.eif');
    await buildFromManifest(join(folder, 'manifest.json'), output);
    t.same(readFileSync(output), readFileSync(path));
  }
});

t.test('writes one file for each section, and a manifest', async (t) => {
  const folder = await extracted(await writeSignedImage(t, 'es256'));
  const names = ['cmdline', 'kernel', 'manifest.json', 'metadata.json', 'ramdisk-0', 'ramdisk-1', 'signature.cbor'];
  t.same(readdirSync(folder).sort(), names);
  t.equal(readFileSync(join(folder, 'ramdisk-1'), 'utf8'), 'RAMDISK1');
  t.same(readFileSync(join(folder, 'metadata.json')), COMPLETE.metadata);
});

t.test('rejects to attach the old signature to a changed image (EIF_SIGNATURE_PCR0)', async (t) => {
  const path = await writeSignedImage(t, 'es384');
  const folder = await extracted(path);
  writeFileSync(join(folder, 'cmdline'), 'init=/bin/sh');
  const output = join(dirname(path), 'changed.eif');
  const build = () => buildFromManifest(join(folder, 'manifest.json'), output);
  await rejectsCode(build, EifError, 'EIF_SIGNATURE_PCR0');
  t.notOk(readdirSync(dirname(path)).includes('changed.eif'));
});

t.test('rejects a folder that exists (EIF_OUTPUT_EXISTS)', async (t) => {
  const path = await writeImage(t);
  await rejectsCode(() => extractImage(path, dirname(path)), EifError, 'EIF_OUTPUT_EXISTS');
});

t.test('leaves nothing of a damaged image (EIF_CRC)', async (t) => {
  const path = await writeImage(t);
  const bytes = readFileSync(path);
  bytes.writeUInt8(0, bytes.length - 1);
  writeFileSync(path, bytes);
  await rejectsCode(() => extracted(path), EifError, 'EIF_CRC');
  t.same(readdirSync(dirname(path)), ['image.eif']);
});

t.test('rejects a place that cannot be written to (EIF_FILE_WRITE)', async (t) => {
  const path = await writeImage(t);
  await rejectsCode(() => extractImage(path, join(dirname(path), 'missing', 'parts')), EifError, 'EIF_FILE_WRITE');
});

const CHANGES: readonly [string, Record<string, unknown>][] = [
  ['another format', { format: 'acra-enclave-image-2' }],
  ['an unknown key', { initrd: 'ramdisk-0' }],
  ['a file outside its folder', { kernel: '../kernel' }],
  ['an absolute path', { ramdisks: ['/etc/passwd'] }],
  ['no kernel', { kernel: undefined }],
  ['a number over 64 bits', { defaultCpus: '18446744073709551616' }],
];

for (const [what, change] of CHANGES) {
  t.test(`rejects a manifest with ${what} (EIF_MANIFEST_INVALID)`, async (t) => {
    const path = await writeImage(t);
    const manifest = join(await extracted(path), 'manifest.json');
    writeFileSync(manifest, JSON.stringify({ ...JSON.parse(readFileSync(manifest, 'utf8')), ...change }));
    await rejectsCode(() => buildFromManifest(manifest, path), EifError, 'EIF_MANIFEST_INVALID');
  });
}

t.test('rejects a manifest that is not JSON (EIF_MANIFEST_INVALID)', async (t) => {
  const path = await writeImage(t);
  await rejectsCode(() => buildFromManifest(path, path), EifError, 'EIF_MANIFEST_INVALID');
});
