import { readFileSync } from 'node:fs';
import t from 'tap';
import { EifError } from '../../../eif/errors.ts';
import { requireSigned } from '../../../eif/sign/require-signed.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { COMPLETE, repairCrc, writeBytes, writeImage, writeSignedImage } from '../support/images.ts';
import { chainOf } from '../support/vectors.ts';

t.test('accepts an image that has the signature of the certificate', async (t) => {
  await requireSigned(await writeSignedImage(t, 'es384'), await chainOf('es384'));
});

t.test('rejects an image without signature (EIF_SIGNATURE_MISSING)', async (t) => {
  const [image, chain] = [await writeImage(t, COMPLETE), await chainOf('es384')];
  await rejectsCode(() => requireSigned(image, chain), EifError, 'EIF_SIGNATURE_MISSING');
});

t.test('rejects an image that another certificate signed (EIF_PCR_MISMATCH)', async (t) => {
  const [image, chain] = [await writeSignedImage(t, 'es256'), await chainOf('es384')];
  const { found, allowed } = await rejectsCode(() => requireSigned(image, chain), EifError, 'EIF_PCR_MISMATCH');
  t.not(found, allowed);
});

t.test('rejects a signature of other contents (EIF_SIGNATURE_PCR0)', async (t) => {
  const bytes = readFileSync(await writeSignedImage(t, 'es384'));
  const kernel = bytes.indexOf('KERNEL');
  bytes.write('OTHERS', kernel);
  const [image, chain] = [writeBytes(t, repairCrc(bytes)), await chainOf('es384')];
  await rejectsCode(() => requireSigned(image, chain), EifError, 'EIF_SIGNATURE_PCR0');
});
