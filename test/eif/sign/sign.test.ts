/** Signing with a key at hand: what comes out, and that nothing does when key or certificate is wrong. */
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { EifError, type EifErrorCode } from '../../../eif/errors.ts';
import { readEif } from '../../../eif/format/reader.ts';
import { parseSignatureSection } from '../../../eif/format/signature.ts';
import { type CertificateChain, readCertificateChain } from '../../../eif/sign/certificate.ts';
import { readSigningKey, type SigningKey } from '../../../eif/sign/key.ts';
import { type SignRequest, signImage } from '../../../eif/sign/sign.ts';
import { parseImageSignature, verifySignatureSection } from '../../../eif/sign/signature.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { COMPLETE, writeBytes, writeImage } from '../support/images.ts';
import { chainOf, DAY_MS, keyOf, NOW_MS, SIGNERS, vector } from '../support/vectors.ts';

/** The image with its signature bytes blanked: ECDSA gives others each time. Cuts the checksum too. */
async function withoutSignatureBytes(path: string): Promise<string> {
  const { header, sections, signature, measurements, cmdline, metadata } = await readEif(path);
  const { certificatePem, coseSign1 } = parseSignatureSection(signature!);
  const { algorithm, payload } = parseImageSignature(coseSign1);
  const places = sections.filter(({ kind }) => kind !== 'signature');
  const text = [
    header.architecture,
    header.defaultMemBytes,
    header.defaultCpus,
    algorithm.name,
    ...places.map((p) => JSON.stringify(p)),
  ];
  const bytes = [measurements.pcr0, measurements.pcr1, measurements.pcr2, cmdline, metadata, certificatePem, payload];
  return [...text.map(String), ...bytes.map((part) => part.toString('hex'))].join('\n');
}

for (const name of SIGNERS) {
  t.test(`signs with ${name} so that the signature verifies`, async (t) => {
    const path = await writeImage(t, COMPLETE);
    const chain = await chainOf(name);
    const written = await signImage({ input: path, output: path, chain, nowMs: NOW_MS }, await keyOf(name));
    const image = await readEif(path);
    t.equal(image.fileSize, written.fileSize);
    const verified = verifySignatureSection(image.signature!, image.measurements.pcr0);
    t.equal(verified.algorithm.name, name.toUpperCase());
    t.same(verified.chain.pem, readFileSync(vector(`${name}.cert.pem`)));
  });
}

t.test('writes an untagged COSE_Sign1 over PCR0 in the bytes of the format', async (t) => {
  const path = await writeImage(t, COMPLETE);
  await signImage({ input: path, output: path, chain: await chainOf('es384'), nowMs: NOW_MS }, await keyOf('es384'));
  const image = await readEif(path);
  const { coseSign1 } = parseSignatureSection(image.signature!);
  t.equal(coseSign1.toString('hex', 0, 7), '8444a1013822a0');
  t.equal(coseSign1.toString('hex', coseSign1.length - 98, coseSign1.length - 96), '5860');
});

t.test('keeps what is measured and stored apart from the signature', async (t) => {
  const path = await writeImage(t, { ...COMPLETE, architecture: 'aarch64', defaultMemBytes: 7n, defaultCpus: 1n });
  const output = join(dirname(path), 'signed.eif');
  const unsigned = await readEif(path);
  await signImage({ input: path, output, chain: await chainOf('es256'), nowMs: NOW_MS }, await keyOf('es256'));
  const signed = await readEif(output);
  t.same(signed.measurements, unsigned.measurements);
  t.match(signed.header, { architecture: 'aarch64', defaultMemBytes: 7n, defaultCpus: 1n });
  t.same(readFileSync(output).subarray(548, unsigned.fileSize), readFileSync(path).subarray(548));
  t.same(await readEif(path), unsigned, 'the input is untouched');
});

t.test('gives for a signed image what it gives for the unsigned one', async (t) => {
  const unsigned = await writeImage(t, COMPLETE);
  const [once, twice] = ['once.eif', 'twice.eif'].map((name) => join(dirname(unsigned), name)) as [string, string];
  const request = { input: unsigned, output: once, chain: await chainOf('es512'), nowMs: NOW_MS };
  await signImage({ ...request, output: twice }, await keyOf('es512'));
  await signImage({ ...request, input: twice, output: twice, chain: await chainOf('es384') }, await keyOf('es384'));
  await signImage({ ...request, chain: await chainOf('es384') }, await keyOf('es384'));
  t.equal(await withoutSignatureBytes(twice), await withoutSignatureBytes(once));
});

t.test('puts the whole certificate chain into the image', async (t) => {
  const path = await writeImage(t, COMPLETE);
  const chain = await chainOf('es384-chain');
  await signImage({ input: path, output: path, chain, nowMs: NOW_MS }, await keyOf('es384'));
  const image = await readEif(path);
  const verified = verifySignatureSection(image.signature!, image.measurements.pcr0);
  t.equal(verified.chain.certificates.length, 3);
  t.match(verified.chain.signer.subject, 'chained signer');
});

interface Refusal {
  readonly what: string;
  readonly code: EifErrorCode;
  readonly key?: () => Promise<SigningKey>;
  readonly chain?: () => Promise<CertificateChain>;
  readonly nowMs?: number;
}

/** A file with a fresh key on this curve. */
function freshKey(namedCurve: string): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve });
  return writeBytes(t, Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })));
}

function ed25519Key(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  return writeBytes(t, Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })));
}

const REFUSALS: readonly Refusal[] = [
  { what: 'a key that is missing', code: 'EIF_KEY_READ', key: () => readSigningKey('/nonexistent') },
  { what: 'a key that is a certificate', code: 'EIF_KEY_READ', key: () => readSigningKey(vector('es384.cert.pem')) },
  {
    what: 'an Ed25519 key',
    code: 'EIF_KEY_CURVE',
    key: () => readSigningKey(ed25519Key()),
  },
  {
    what: 'a key on secp256k1',
    code: 'EIF_KEY_CURVE',
    key: () => readSigningKey(freshKey('secp256k1')),
  },
  { what: 'a key of another curve than the certificate', code: 'EIF_KEY_MISMATCH', key: () => keyOf('es256') },
  {
    what: 'another key of the same curve',
    code: 'EIF_KEY_MISMATCH',
    key: () => readSigningKey(freshKey('P-384')),
  },
  {
    what: 'a certificate that is missing',
    code: 'EIF_CERTIFICATE_INVALID',
    chain: () => readCertificateChain('/nonexistent'),
  },
  { what: 'an expired certificate', code: 'EIF_CERTIFICATE_EXPIRED', chain: () => chainOf('es384-short') },
  { what: 'a certificate that is not valid yet', code: 'EIF_CERTIFICATE_NOT_YET_VALID', nowMs: NOW_MS - 365 * DAY_MS },
];

for (const { what, code, key = () => keyOf('es384'), chain = () => chainOf('es384'), nowMs = NOW_MS } of REFUSALS) {
  t.test(`rejects ${what} and writes nothing (${code})`, async (t) => {
    const input = await writeImage(t, COMPLETE);
    const output = join(dirname(input), 'signed.eif');
    const run = async () => {
      const request: SignRequest = { input, output, chain: await chain(), nowMs };
      await signImage(request, await key());
    };
    await rejectsCode(run, EifError, code);
    t.notOk(existsSync(output));
    t.equal(readdirSync(dirname(input)).length, 1);
  });
}

t.test('rejects an encrypted key without asking for a passphrase (EIF_KEY_READ)', async (t) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' });
  await rejectsCode(() => readSigningKey(writeBytes(t, Buffer.from(pem))), EifError, 'EIF_KEY_READ');
});

t.test('reads keys in the older SEC1 form', async (t) => {
  const { key } = await keyOf('es384');
  const path = join(temporaryFolder(t), 'key.pem');
  writeFileSync(path, key.export({ type: 'sec1', format: 'pem' }));
  t.equal((await readSigningKey(path)).algorithm.name, 'ES384');
});

t.test('rejects to sign a damaged image (EIF_CRC)', async (t) => {
  const input = await writeImage(t, COMPLETE);
  const bytes = readFileSync(input);
  bytes.writeUInt8(0, bytes.length - 1);
  writeFileSync(input, bytes);
  const request = { input, output: input, chain: await chainOf('es384'), nowMs: NOW_MS };
  const key = await keyOf('es384');
  await rejectsCode(() => signImage(request, key), EifError, 'EIF_CRC');
  t.same(readFileSync(input), bytes);
});
