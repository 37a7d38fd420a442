/** `eif build` as a user runs it: what is refused before the kernel, and how an extracted image is put together again. */
import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { extractImage } from '../../eif/extract.ts';
import { verifyImage } from '../../eif/verify.ts';
import { COMPLETE, writeImage } from '../eif/support/images.ts';
import { newKey } from '../keys/support/certificate-maker.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave, type Outcome } from './support/acra-enclave.ts';
import { writeSigner } from './support/signers.ts';
import { writeServerCertificate, writeSoundFolder } from './support/sound-folder.ts';

const keys = temporaryFolder(t);
const signer = await writeSigner(keys, 'signer');
const other = await writeSigner(keys, 'other');
const expired = await writeSigner(keys, 'expired', 'expired');
const signing = (key: string, certificate: string) => ['--signing-key', key, '--signing-certificate', certificate];
const PROGRAM = realpathSync('/usr/bin/env');

interface Refusal {
  readonly what: string;
  readonly code: string;
  readonly options?: readonly string[];
  readonly acraServer?: string;
  readonly damage?: (enclave: string) => void;
}

const WRONG_SIGNERS: readonly Refusal[] = [
  {
    what: "another certificate's key",
    code: 'EIF_KEY_MISMATCH',
    options: signing(other.key, signer.certificate),
  },
  {
    what: 'an expired certificate',
    code: 'EIF_CERTIFICATE_EXPIRED',
    options: signing(expired.key, expired.certificate),
  },
];

const EARLY: readonly Refusal[] = [
  ...WRONG_SIGNERS,
  { what: 'a key without certificate', code: 'CLI_OPTION', options: ['--signing-key', signer.key] },
  { what: 'the stand-in that nobody allowed', code: 'EIF_BUILD_STAND_IN', acraServer: '' },
  {
    what: 'a file that enclave.yaml does not name',
    code: 'EIF_BUILD_FILE_EXTRA',
    damage: (enclave) => writeFileSync(join(enclave, 'private.key'), 'secret'),
  },
  {
    what: 'an expired server certificate',
    code: 'CERTIFICATE_EXPIRED',
    damage: (enclave) => writeServerCertificate(enclave, { toDays: -0.5 }),
  },
  {
    what: 'a server certificate of another key than the sealed one',
    code: 'KEY_CERTIFICATE_MISMATCH',
    damage: (enclave) => writeServerCertificate(enclave, { key: newKey() }),
  },
  {
    what: 'a client CA that is none',
    code: 'CERTIFICATE_FILE_INVALID',
    damage: (enclave) => writeFileSync(join(enclave, 'tls/client-ca.pem'), 'client CA'),
  },
  {
    what: "the file of another master key's ciphertext",
    code: 'MASTER_KEY_FILE_INVALID',
    damage: (enclave) => writeFileSync(join(enclave, 'master-key.json'), '{}'),
  },
  {
    what: 'a keystore without the keys that columns need',
    code: 'KEYSTORE_KEY_MISSING',
    damage: (enclave) => rmSync(join(enclave, 'keystore/client_storage_sym')),
  },
];

for (const { what, code, options = [], acraServer = PROGRAM, damage } of EARLY) {
  t.test(`rejects ${what} before it looks for a kernel (${code})`, async (t) => {
    const folder = temporaryFolder(t);
    const enclave = writeSoundFolder(join(folder, 'enclave'));
    damage?.(enclave);
    const recipe = join(folder, 'image.yaml');
    writeFileSync(recipe, 'version: 1\nkernel: {aws-blobs: nowhere}\n');
    const words = ['--enclave', enclave, '--recipe', recipe, '--output', join(folder, 'build'), ...options];
    const outcome = await acraEnclave(['eif', 'build', ...words], { ACRA_SERVER: acraServer, XDG_CACHE_HOME: folder });
    t.not(outcome.code, 0);
    t.match(outcome.stderr, `error ${code}:`);
    t.notOk(readdirSync(folder).includes('build'));
  });
}

interface Extracted {
  readonly image: string;
  readonly parts: string;
  /** Does not exist. */
  readonly output: string;
  build(...options: readonly string[]): Promise<Outcome>;
}

async function extracted(t: Test): Promise<Extracted> {
  const folder = temporaryFolder(t);
  const image = await writeImage(t, COMPLETE);
  const [parts, output] = [join(folder, 'parts'), join(folder, 'build')];
  await extractImage(image, parts);
  const build = (...options: readonly string[]) =>
    acraEnclave(['eif', 'build', '--from', parts, '--output', output, ...options]);
  return { image, parts, output, build };
}

t.test('gives an extracted image back to the bit', async (t) => {
  const { image, output, build } = await extracted(t);
  const { code, stdout } = await build('--json');
  t.equal(code, 0);
  const file = join(output, 'acra-enclave.eif');
  const bytes = readFileSync(image);
  t.match(JSON.parse(stdout), { file, bytes: bytes.length, PCR0: /^[0-9a-f]{96}$/ });
  t.same(readFileSync(file), bytes);
  t.same(readdirSync(output), ['acra-enclave.eif']);
});

t.test('signs an extracted image when told to', async (t) => {
  const { image, output, build } = await extracted(t);
  t.equal((await build(...signing(signer.key, signer.certificate))).code, 0);
  const before = await verifyImage(image, Date.now());
  const { isValid, signature, pcrs } = await verifyImage(join(output, 'acra-enclave.eif'), Date.now());
  t.ok(isValid);
  t.equal(signature?.algorithm.name, 'ES256');
  t.same({ ...pcrs, PCR8: before.pcrs.PCR8 }, before.pcrs);
  t.same(readdirSync(output), ['acra-enclave.eif']);
});

const NOT_WITH_FROM: readonly Refusal[] = [
  ...WRONG_SIGNERS,
  { what: 'a certificate without key', code: 'CLI_OPTION', options: ['--signing-certificate', signer.certificate] },
  { what: '--recipe', code: 'CLI_OPTION', options: ['--recipe', 'image.yaml'] },
  { what: '--enclave', code: 'CLI_OPTION', options: ['--enclave', 'enclave'] },
  { what: '--allow-stand-in', code: 'CLI_OPTION', options: ['--allow-stand-in'] },
];

for (const { what, code, options = [] } of NOT_WITH_FROM) {
  t.test(`rejects ${what} with --from and writes nothing (${code})`, async (t) => {
    const { parts, build } = await extracted(t);
    const outcome = await build(...options);
    t.equal(outcome.code, 1);
    t.match(outcome.stderr, `error ${code}:`);
    t.same(readdirSync(join(parts, '..')), ['parts']);
  });
}

/** As a build leaves them beside its image. */
async function writeMeasurements(output: string, image: string): Promise<void> {
  const { pcrs } = await verifyImage(image, Date.now());
  const Measurements = { HashAlgorithm: 'Sha384 { ... }', ...pcrs };
  const described = { file: 'acra-enclave.eif', bytes: 1, sha256: '00', isSigned: false };
  mkdirSync(output);
  writeFileSync(join(output, 'measurements.json'), JSON.stringify({ Measurements, image: described, kernel: {} }));
  writeFileSync(join(output, 'bom.json'), '{}');
}

t.test('keeps measurements.json beside an image with the same contents', async (t) => {
  const { image, output, build } = await extracted(t);
  await writeMeasurements(output, image);
  t.equal((await build(...signing(signer.key, signer.certificate))).code, 0);
  const results = ['acra-enclave.eif', 'measurements.json'].map((name) => join(output, name)) as [string, string];
  t.equal((await acraEnclave(['eif', 'verify', results[0], '--pcrs', results[1]])).code, 0);
  t.match(JSON.parse(readFileSync(results[1], 'utf8')), { image: { isSigned: true }, kernel: {} });
  t.equal(readdirSync(output).length, 3);
});

t.test('rejects to leave measurements.json or bom.json beside another image (CLI_OPTION)', async (t) => {
  const { image, parts, output, build } = await extracted(t);
  await writeMeasurements(output, image);
  const before = readFileSync(join(output, 'measurements.json'));
  writeFileSync(join(parts, 'cmdline'), 'other');
  const { code, stderr } = await build();
  t.equal(code, 1);
  t.match(stderr, 'error CLI_OPTION: ');
  t.same(readFileSync(join(output, 'measurements.json')), before);
  t.same(readdirSync(output).sort(), ['bom.json', 'measurements.json']);
  const billOnly = join(output, '..', 'bill');
  mkdirSync(billOnly);
  writeFileSync(join(billOnly, 'bom.json'), '{}');
  t.match((await build('--output', billOnly)).stderr, 'error CLI_OPTION: ');
  t.same(readdirSync(billOnly), ['bom.json']);
});
