/** `rebuild` as an auditor runs it: the same source and folder, another folder, another image. */
import { cpSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeSigner } from '../attestation/published/support/published.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { acraEnclave } from './support/acra-enclave.ts';
import { writeSigner } from './support/signers.ts';
import { writeSoundFolder } from './support/sound-folder.ts';

const root = temporaryFolder(t);
const at = (name: string) => join(root, name);
const enclave = writeSoundFolder(at('enclave'));
writeFileSync(at('bzImage'), 'KERNEL');
const recipe = at('image.yaml');
writeFileSync(recipe, 'version: 1\nkernel: {file: bzImage}\ncompression: {zstd: 1}\nmemoryMiB: 4096\n');
const owner = await writeSigner(root, 'owner');
const provider = makeSigner('provider', 'ed25519');
writeFileSync(at('provider.key'), provider.privatePem);
writeFileSync(at('provider.pub'), provider.publicPem);
writeFileSync(at('auditor.pub'), makeSigner('auditor', 'ed25519').publicPem);

const [published, image, signed] = [at('build/measurements.json'), at('build/acra-enclave.eif'), at('signed.json')];
/** TMPDIR: where it builds, so that a test sees what it leaves. */
const environment = { ACRA_SERVER: realpathSync('/usr/bin/env'), TMPDIR: temporaryFolder(t) };
const rebuild = (folder: string, ...options: readonly string[]) =>
  acraEnclave(['rebuild', folder, '--recipe', recipe, ...options], environment);

t.before(async () => {
  const signing = ['--signing-key', owner.key, '--signing-certificate', owner.certificate];
  const words = ['--enclave', enclave, '--recipe', recipe, '--output', at('build'), ...signing];
  const built = await acraEnclave(['eif', 'build', ...words], environment);
  const key = ['--key', at('provider.key'), '--expires', '90d', '--out', signed];
  const outcome = built.code === 0 ? await acraEnclave(['measurements', 'sign', published, ...key]) : built;
  if (outcome.code !== 0) throw new Error(outcome.stderr);
});

t.test(
  'says equal for the same source and folder, though the published image is signed, and leaves nothing',
  async (t) => {
    const { code, stdout, stderr } = await rebuild(enclave, '--check', published, '--image', image);
    t.equal(code, 0, stderr);
    t.match(stdout, /^equal: /m);
    t.match(stderr, 'comparing', 'progress is shown');
    const marked = at('marked.json');
    writeFileSync(marked, `\ufeff${readFileSync(published, 'utf8')}`);
    t.equal((await rebuild(enclave, '--check', marked)).code, 0, 'a mark before the JSON is no part of it');
    t.same(readdirSync(environment.TMPDIR), []);
  },
);

t.test('says equal for what the provider signed, when the signature that is demanded is there', async (t) => {
  const { code, stdout } = await rebuild(enclave, '--check', signed, '--require', at('provider.pub'), '--json');
  t.equal(code, 0);
  t.match(JSON.parse(stdout), { isEqual: true, differences: [] });
  const other = await rebuild(enclave, '--check', signed, '--require', at('auditor.pub'));
  t.equal(other.code, 2);
  t.match(other.stderr, 'MEASUREMENTS_SIGNATURE_MISSING');
});

t.test('names the registers and the very file that differ', async (t) => {
  const changed = join(temporaryFolder(t), 'enclave');
  cpSync(enclave, changed, { recursive: true });
  const yaml = join(changed, 'encryptor.yaml');
  writeFileSync(yaml, `${readFileSync(yaml, 'utf8')}# changed\n`);
  const { code, stdout } = await rebuild(changed, '--check', published, '--image', image, '--json');
  t.equal(code, 1);
  const { isEqual, differences } = JSON.parse(stdout);
  t.notOk(isEqual);
  const fields = (section: string) =>
    differences.flatMap((each: { section: string; field: string }) => (each.section === section ? [each.field] : []));
  t.same(fields('registers'), ['PCR0', 'PCR2'], 'the runtime of ramdisk 0 is the same');
  const entries = differences.filter(({ entry }: { entry?: string }) => entry?.endsWith('encryptor.yaml'));
  t.match(entries, [{ section: 'ramdisk 1', field: 'sha256' }, { section: 'ramdisk 1' }, { section: 'ramdisk 1' }]);
  const hashes = await rebuild(changed, '--check', signed);
  t.equal(hashes.code, 1);
  t.match(hashes.stdout, /registers PCR0: [0-9a-f]{96} → [0-9a-f]{96}/);
  t.match(hashes.stdout, 'a signed file has the hashes only');
});

t.test('gives no answer for a folder that cannot be built, or a file that cannot be read', async (t) => {
  t.equal((await rebuild(at('nowhere'), '--check', published)).code, 2);
  t.equal((await rebuild(enclave, '--check', at('nowhere'))).code, 2);
  t.same(readdirSync(environment.TMPDIR), []);
});
