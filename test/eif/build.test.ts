/** Building from parts: whole or not at all. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type BuildRequest, buildImage } from '../../eif/build.ts';
import { EifError } from '../../eif/errors.ts';
import { parseMetadata } from '../../eif/format/metadata.ts';
import { readFilePieces } from '../../eif/input-file.ts';
import { verifyImage } from '../../eif/verify.ts';
import { rejectsCode } from '../support/coded-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { COMPLETE, writeBytes } from './support/images.ts';
import { chainOf, keyOf, NOW_MS } from './support/vectors.ts';

async function request(folder: string, kernelPath: string): Promise<BuildRequest> {
  return {
    output: join(folder, 'image.eif'),
    architecture: 'x86_64',
    kernel: readFilePieces(kernelPath),
    cmdline: ' panic=30\n',
    metadata: parseMetadata(Buffer.from(COMPLETE.metadata)),
    ramdisks: [[Buffer.from('RAMDISK0')]],
    signer: { key: await keyOf('es384'), chain: await chainOf('es384'), nowMs: NOW_MS },
  };
}

t.test('builds and signs in one go, the command line trimmed', async (t) => {
  const folder = temporaryFolder(t);
  const wanted = await request(folder, writeBytes(t, Buffer.from('KERNEL')));
  await buildImage(wanted);
  const report = await verifyImage(wanted.output, NOW_MS);
  t.ok(report.isValid);
  t.equal(report.signature?.algorithm.name, 'ES384');
  t.equal(report.image.cmdline.toString(), 'panic=30');
});

t.test('writes nothing, and no unsigned image, when the signer is wrong', async (t) => {
  const folder = temporaryFolder(t);
  const wanted = await request(folder, writeBytes(t, Buffer.from('KERNEL')));
  const wrong = [
    ['EIF_KEY_MISMATCH', { key: await keyOf('es256'), chain: await chainOf('es384'), nowMs: NOW_MS }],
    ['EIF_CERTIFICATE_EXPIRED', { key: await keyOf('es384'), chain: await chainOf('es384-short'), nowMs: NOW_MS }],
  ] as const;
  for (const [code, signer] of wrong) await rejectsCode(() => buildImage({ ...wanted, signer }), EifError, code);
  t.same(readdirSync(folder), []);
});

t.test('rejects a kernel that cannot be read (EIF_FILE_READ)', async (t) => {
  const folder = temporaryFolder(t);
  const wanted = await request(folder, join(folder, 'missing'));
  await rejectsCode(() => buildImage(wanted), EifError, 'EIF_FILE_READ');
  t.same(readdirSync(folder), []);
});

t.test('rejects metadata that breaks the format (EIF_METADATA_INVALID)', async (t) => {
  const folder = temporaryFolder(t);
  const wanted = await request(folder, writeBytes(t, Buffer.from('KERNEL')));
  const broken = { ...wanted.metadata, ImageName: 5 as unknown as string };
  await rejectsCode(() => buildImage({ ...wanted, metadata: broken }), EifError, 'EIF_METADATA_INVALID');
});
