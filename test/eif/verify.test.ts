/** Verification of intact images: metadata, signature, certificate and expected PCRs, all reported at once. */
import t from 'tap';
import { verifyImage } from '../../eif/verify.ts';
import { COMPLETE, TOY, writeImage, writeSignedImage } from './support/images.ts';
import { DAY_MS, NOW_MS } from './support/vectors.ts';

const codesOf = (checks: readonly { name: string; code: string | undefined }[]) =>
  Object.fromEntries(checks.map(({ name, code }) => [name, code]));

t.test('accepts an unsigned image and says that it is', async (t) => {
  const report = await verifyImage(await writeImage(t, COMPLETE), NOW_MS);
  t.ok(report.isValid);
  t.equal(report.pcrs.PCR8, '0'.repeat(96));
  t.equal(report.daysLeft, undefined);
  t.match(report.checks, [{ name: 'metadata' }, { name: 'signature', detail: 'unsigned' }]);
});

t.test('accepts a signed image with the PCRs that are expected of it', async (t) => {
  const path = await writeSignedImage(t, 'es384');
  const { pcrs, daysLeft } = await verifyImage(path, NOW_MS);
  t.ok(daysLeft! > 36_000);
  const report = await verifyImage(path, NOW_MS, pcrs);
  t.ok(report.isValid);
  t.same(Object.keys(codesOf(report.checks)), ['metadata', 'signature', 'certificate', 'PCR0', 'PCR1', 'PCR2', 'PCR8']);
});

t.test('rejects each PCR that differs from the expected one (EIF_PCR_MISMATCH)', async (t) => {
  const path = await writeSignedImage(t, 'es384');
  const { pcrs } = await verifyImage(path, NOW_MS);
  const other = await verifyImage(
    await writeSignedImage(t, 'es256', { ...COMPLETE, kernel: [Buffer.from('X')] }),
    NOW_MS,
    pcrs,
  );
  t.notOk(other.isValid);
  t.match(codesOf(other.checks), {
    signature: undefined,
    PCR0: 'EIF_PCR_MISMATCH',
    PCR1: 'EIF_PCR_MISMATCH',
    PCR2: undefined,
    PCR8: 'EIF_PCR_MISMATCH',
  });
});

t.test('rejects an unsigned image where PCR8 is expected (EIF_PCR_MISMATCH)', async (t) => {
  const { pcrs } = await verifyImage(await writeSignedImage(t, 'es384'), NOW_MS);
  const report = await verifyImage(await writeImage(t, COMPLETE), NOW_MS, { PCR8: pcrs.PCR8 });
  t.equal(codesOf(report.checks)['PCR8'], 'EIF_PCR_MISMATCH');
  t.notOk(report.isValid);
});

t.test(
  'rejects a certificate outside its validity (EIF_CERTIFICATE_EXPIRED, EIF_CERTIFICATE_NOT_YET_VALID)',
  async (t) => {
    const path = await writeSignedImage(t, 'es384');
    const late = await verifyImage(path, NOW_MS + 40_000 * DAY_MS);
    t.equal(codesOf(late.checks)['certificate'], 'EIF_CERTIFICATE_EXPIRED');
    t.ok(late.daysLeft! < 0);
    t.notOk(late.isValid);
    const early = await verifyImage(path, 0);
    t.equal(codesOf(early.checks)['certificate'], 'EIF_CERTIFICATE_NOT_YET_VALID');
  },
);

t.test('rejects metadata and signature that mean nothing, and still reports the PCRs', async (t) => {
  const path = await writeImage(t, { ...TOY, sign: () => Buffer.from('garbage') });
  const report = await verifyImage(path, NOW_MS);
  t.same(codesOf(report.checks), { metadata: 'EIF_METADATA_INVALID', signature: 'EIF_SIGNATURE_SYNTAX' });
  t.match(report.pcrs.PCR0, /^5ac5180f/);
  t.notOk(report.isValid);
});
