/** `eif sign` as a user runs it: what it writes, what it refuses, and that measurements.json beside the image stays true. */
import { sign } from 'node:crypto';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { writeEif } from '../../eif/format/writer.ts';
import type { Measurements } from '../../eif/image/measurements.ts';
import { sha256OfFile } from '../../system/files/file-digest.ts';
import { buildIn } from '../eif/image/support/build.ts';
import { COMPLETE, writeImage } from '../eif/support/images.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave, start } from './support/acra-enclave.ts';
import { writeSigner } from './support/signers.ts';

const keys = temporaryFolder(t);
const signer = await writeSigner(keys, 'signer');
const other = await writeSigner(keys, 'other');
const expired = await writeSigner(keys, 'expired', 'expired');
const built = temporaryFolder(t);
t.before(() => buildIn(built, { compression: { zstd: 1 } }));
const WITH_KEY = ['--key', signer.key, '--certificate', signer.certificate];

interface Refusal {
  readonly what: string;
  readonly code: string;
  readonly options: readonly string[];
}

const REFUSALS: readonly Refusal[] = [
  {
    what: "another certificate's key",
    code: 'EIF_KEY_MISMATCH',
    options: ['--key', other.key, '--certificate', signer.certificate],
  },
  {
    what: 'an expired certificate',
    code: 'EIF_CERTIFICATE_EXPIRED',
    options: ['--key', expired.key, '--certificate', expired.certificate],
  },
  {
    what: 'a key that is missing',
    code: 'EIF_KEY_READ',
    options: ['--key', '/nonexistent', '--certificate', signer.certificate],
  },
  {
    what: 'a signature that is none',
    code: 'EIF_SIGNATURE_ENCODING',
    options: ['--attach-signature', signer.certificate, '--certificate', signer.certificate],
  },
  { what: 'no way to sign', code: 'CLI_OPTION', options: ['--certificate', signer.certificate] },
  { what: 'two ways to sign', code: 'CLI_OPTION', options: [...WITH_KEY, '--print-digest'] },
];

for (const { what, code, options } of REFUSALS) {
  t.test(`rejects ${what} and writes nothing (${code})`, async (t) => {
    const image = await writeImage(t, COMPLETE);
    const before = readFileSync(image);
    const outcome = await acraEnclave(['eif', 'sign', image, ...options]);
    t.equal(outcome.code, 1);
    t.match(outcome.stderr, code);
    t.same(readFileSync(image), before);
    t.same(readdirSync(dirname(image)), ['image.eif']);
  });
}

t.test('prints PCR8 of what it signed', async (t) => {
  const image = await writeImage(t, COMPLETE);
  const { stdout } = await acraEnclave(['eif', 'sign', image, ...WITH_KEY]);
  const pcr8 = (await acraEnclave(['pcr', '--certificate', signer.certificate])).stdout.split(' ')[1]?.trim();
  t.match(stdout, `PCR8   ${pcr8}\n`);
  const { stdout: json } = await acraEnclave(['eif', 'sign', image, ...WITH_KEY, '--json']);
  t.match(JSON.parse(json), { file: image, bytes: Number, PCR0: /^[0-9a-f]{96}$/, PCR8: pcr8 });
});

function parse<Result>(path: string): Result {
  return JSON.parse(readFileSync(path, 'utf8')) as Result;
}

/** The results of a build, in a folder of their own. */
function resultsOfBuild(t: { teardown(fn: () => void): void }): {
  image: string;
  measurements: string;
  folder: string;
} {
  const folder = temporaryFolder(t);
  for (const name of readdirSync(join(built, 'build'))) copyFileSync(join(built, 'build', name), join(folder, name));
  return { folder, image: join(folder, 'acra-enclave.eif'), measurements: join(folder, 'measurements.json') };
}

t.test('keeps measurements.json true when the image that it names is signed', async (t) => {
  const { folder, image, measurements } = resultsOfBuild(t);
  const before = parse<Measurements>(measurements);
  const { code, stdout } = await acraEnclave(['eif', 'sign', image, ...WITH_KEY]);
  t.equal(code, 0);
  t.match(stdout, measurements);
  const verified = await acraEnclave(['eif', 'verify', image, '--pcrs', measurements]);
  t.equal(verified.code, 0, verified.stdout);
  const after = parse<Measurements>(measurements);
  const pcr8 = (await acraEnclave(['pcr', '--certificate', signer.certificate])).stdout.split(' ')[1]?.trim();
  const bytes = readFileSync(image).length;
  const expected = {
    ...before,
    Measurements: { ...before.Measurements, PCR8: pcr8 },
    image: { ...before.image, bytes, sha256: await sha256OfFile(image), isSigned: true },
  };
  t.equal(readFileSync(measurements, 'utf8'), `${JSON.stringify(expected, null, 2)}\n`, 'all else is as it was');
  t.not(after.image.sha256, before.image.sha256);
  t.same(readdirSync(folder).sort(), ['acra-enclave.eif', 'bom.json', 'measurements.json']);
});

t.test('keeps it true in two steps too, of which the first writes nothing', async (t) => {
  const { folder, image, measurements } = resultsOfBuild(t);
  const before = await sha256OfFile(image);
  const certificate = ['--certificate', signer.certificate];
  const { stdout } = await acraEnclave(['eif', 'sign', image, ...certificate, '--print-digest', '--json']);
  const digest = JSON.parse(stdout) as Record<string, string>;
  t.match(digest, { algorithm: 'ES256', hash: 'sha256', pcr0: /^[0-9a-f]{96}$/, digest: /=$/ });
  t.equal(await sha256OfFile(image), before);
  t.equal(parse<Measurements>(measurements).image.isSigned, false);
  t.equal(readdirSync(folder).length, 3);
  const signature = join(keys, 'signature');
  writeFileSync(signature, sign('sha256', Buffer.from(digest['toBeSigned'] ?? '', 'base64'), readFileSync(signer.key)));
  t.equal((await acraEnclave(['eif', 'sign', image, ...certificate, '--attach-signature', signature])).code, 0);
  t.equal((await acraEnclave(['eif', 'verify', image, '--pcrs', measurements])).code, 0);
  t.equal(parse<Measurements>(measurements).image.sha256, await sha256OfFile(image));
});

t.test('leaves measurements.json of an image that stays as it is', async (t) => {
  const { image, measurements, folder } = resultsOfBuild(t);
  const before = readFileSync(measurements);
  const signed = join(folder, 'signed.eif');
  t.equal((await acraEnclave(['eif', 'sign', image, ...WITH_KEY, '--output', signed])).code, 0);
  t.same(readFileSync(measurements), before);
});

t.test('rejects to put another image where measurements.json describes one (CLI_OPTION)', async (t) => {
  const { image, measurements, folder } = resultsOfBuild(t);
  const before = [await sha256OfFile(image), await sha256OfFile(measurements)];
  const stranger = await writeImage(t, COMPLETE);
  const { code, stderr } = await acraEnclave(['eif', 'sign', stranger, ...WITH_KEY, '--output', image]);
  t.equal(code, 1);
  t.match(stderr, 'CLI_OPTION');
  t.same([await sha256OfFile(image), await sha256OfFile(measurements)], before);
  t.equal(readdirSync(folder).length, 3);
});

const LARGE_BYTES = 64 * 1024 * 1024;

/** Large enough to be caught while it is copied. */
async function writeLargeImage(folder: string): Promise<string> {
  const piece = Buffer.alloc(1024 * 1024);
  const image = join(folder, 'large.eif');
  await writeEif(image, { ...COMPLETE, ramdisks: [Array.from({ length: LARGE_BYTES / piece.length }, () => piece)] });
  return image;
}

/** Until something appears in the folder that was not there. */
async function somethingNew(folder: string): Promise<void> {
  const before = readdirSync(folder).length;
  while (readdirSync(folder).length === before) await new Promise(setImmediate);
}

t.test('leaves nothing half-written when it is interrupted', async (t) => {
  for (const command of ['sign', 'extract']) {
    const folder = temporaryFolder(t);
    const image = await writeLargeImage(folder);
    const words = command === 'sign' ? [image, ...WITH_KEY] : [image, join(folder, 'parts')];
    const { child, outcome } = start(['eif', command, ...words]);
    await somethingNew(folder);
    child.kill('SIGINT');
    const { code } = await outcome;
    t.not(code, undefined, 'ended in order, not by the signal');
    const halfWritten = readdirSync(folder).filter((name) => name.endsWith('.partial'));
    t.same(halfWritten, [], command);
  }
});
