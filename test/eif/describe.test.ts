/** The description of images in nitro-cli's shape. Expected values are what AWS's library prints for the same files. */
import t from 'tap';
import { toNitroDescription, toTable } from '../../eif/describe.ts';
import { signImage } from '../../eif/sign/sign.ts';
import { verifyImage } from '../../eif/verify.ts';
import { COMPLETE, TOY, writeImage, writeSignedImage } from './support/images.ts';
import { chainOf, keyOf, NOW_MS, vector } from './support/vectors.ts';

const describe = async (path: string) => toNitroDescription(await verifyImage(path, NOW_MS));

t.test('describes an unsigned image with the keys of nitro-cli in its order', async (t) => {
  const description = await describe(vector('aws-unsigned.eif'));
  t.same(Object.keys(description), [
    'EifVersion',
    'Measurements',
    'IsSigned',
    'CheckCRC',
    'ImageName',
    'ImageVersion',
    'Metadata',
  ]);
  t.same(Object.keys(description.Measurements), ['HashAlgorithm', 'PCR0', 'PCR1', 'PCR2']);
  t.match(description, { EifVersion: 4, IsSigned: false, CheckCRC: true, ImageName: 'n', ImageVersion: 'v' });
  t.same(description.Metadata, {
    BuildTime: '1970-01-01T00:00:00Z',
    BuildTool: 'x',
    BuildToolVersion: '0',
    OperatingSystem: 'Linux',
    KernelVersion: '6.12',
    DockerInfo: null,
  });
});

t.test("describes a signed image as AWS's library does", async (t) => {
  const { SigningCertificate, ...description } = await describe(vector('aws-es384.eif'));
  t.match(description, { IsSigned: true, CheckCRC: true, SignatureCheck: true, Measurements: { PCR8: /^2abe18dd/ } });
  t.same(Object.keys(SigningCertificate!), ['IssuerName', 'Algorithm', 'NotBefore', 'NotAfter', 'Signature']);
  t.match(SigningCertificate, {
    IssuerName: { commonName: 'es384 signer', countryName: 'DE', organizationName: 'Example Org' },
    Algorithm: 'ecdsa-with-SHA384',
    NotBefore: 'Nov 21 12:37:49 2026 GMT',
    NotAfter: 'Oct 28 12:37:49 2126 GMT',
    Signature: /^30:64:02:30:47:04:95:8C:07:BE:(?:[0-9A-F]{2}:)+75:FC:2B:73:3A$/,
  });
});

t.test('describes an image that was signed with a certificate without a name', async (t) => {
  const path = await writeImage(t, COMPLETE);
  const request = { input: path, output: path, chain: await chainOf('unnamed'), nowMs: NOW_MS };
  await signImage(request, await keyOf('es384'));
  const report = await verifyImage(path, NOW_MS);
  t.ok(report.isValid);
  t.same(toNitroDescription(report).SigningCertificate?.IssuerName, {});
  t.match(Object.fromEntries(toTable(report)), { 'check signature': 'ok: ES384 by (no name)' });
});

t.test('spreads custom metadata among the rest, as nitro-cli does', async (t) => {
  const metadata = JSON.parse(Buffer.from(COMPLETE.metadata).toString());
  const custom = { ...metadata, CustomMetadata: { commit: 'abc' } };
  const path = await writeImage(t, { ...COMPLETE, metadata: Buffer.from(JSON.stringify(custom)) });
  t.equal((await describe(path)).Metadata?.['commit'], 'abc');
});

t.test('says of a signature that does not verify that it does not', async (t) => {
  const description = await describe(await writeImage(t, { ...COMPLETE, sign: () => Buffer.from('garbage') }));
  t.match(description, { IsSigned: true, SignatureCheck: false });
  t.notOk('SigningCertificate' in description || 'PCR8' in description.Measurements);
});

t.test('leaves out metadata that cannot be read', async (t) => {
  t.notOk('Metadata' in (await describe(await writeImage(t, TOY))));
});

t.test('lists every section, PCR and check as a row for people', async (t) => {
  const rows = toTable(await verifyImage(await writeSignedImage(t, 'es384'), NOW_MS));
  const labels = rows.map(([label]) => label);
  t.same(labels.slice(4, 10), ['kernel', 'cmdline', 'metadata', 'ramdisk', 'ramdisk', 'signature']);
  for (const label of ['PCR0', 'PCR1', 'PCR2', 'PCR8', 'check signature', 'check certificate'])
    t.ok(labels.includes(label));
  const damaged = await writeImage(t, { ...TOY, sign: () => Buffer.from('garbage') });
  t.match(toTable(await verifyImage(damaged, NOW_MS)), [['check metadata', /^EIF_METADATA_INVALID/]].slice(1));
});
