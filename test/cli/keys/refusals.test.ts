/** What the commands refuse: the form of the other kind of enclave, an enclave that proves nothing, keys of nobody, a parent that lies. */
import { join } from 'node:path';
import t from 'tap';
import { keysFolder } from '../support/keys-folder.ts';
import { changeYaml } from '../support/users-folder.ts';
import { keptKeys } from './support/kept-keys.ts';

const parts = await keptKeys(t, ['alice', 'bob']);
const { folder, enclave, machine, keys, proof, startDaemon, run } = parts;
const [alice = ''] = keys;
const change = ['--enclave', folder.enclave, '--key', alice, ...proof];
await startDaemon();
await machine.connect();
const CEREMONY = ['ceremony', ...change, '--client', folder.firstClient];

t.test('refuses what makes keys in the folder, and names the command that is right (CLI_KEYS_AT_PARENT)', async (t) => {
  const made = await folder.keys('new', '--client', folder.firstClient);
  t.equal(made.code, 1);
  t.match(made.stderr, /CLI_KEYS_AT_PARENT.*keys ceremony/);
  for (const words of [
    ['add-client', '--client', folder.firstClient],
    ['seal', '--database-user', 'app=/nowhere'],
    ['rotate data', '--client', folder.firstClient],
  ]) {
    const { code, stderr } = await folder.keys(...words);
    t.equal(code, 1, words.join(' '));
    t.match(stderr, /CLI_KEYS_AT_PARENT.*--measurements FILE, and --key FILE or --out FILE/);
  }
});

t.test('refuses to ask an enclave whose keys lie in its image (CLI_KEYS_IN_IMAGE)', async (t) => {
  const image = await keysFolder(t);
  const asking = ['--key', alice, ...proof];
  for (const words of [
    ['ceremony', '--client', image.firstClient],
    ['add-client', '--client', image.firstClient],
    ['rotate master'],
    ['rotate kms'],
    ['rotate tls'],
    ['rotate data', '--client', image.firstClient],
  ]) {
    const { code, stderr } = await image.keys(...words, ...asking);
    t.equal(code, 1, words.join(' '));
    t.match(stderr, 'CLI_KEYS_IN_IMAGE', words.join(' '));
  }
});

t.test('asks nothing of an enclave of another image (ATTESTATION_PCR_MISMATCH)', async (t) => {
  const other = ['--pcr', `0=${'ab'.repeat(48)}`, '--trust-root', parts.trustRoot];
  const before = enclave.asked.length;
  const { code, stderr } = await run(
    'ceremony',
    '--enclave',
    folder.enclave,
    '--key',
    alice,
    ...other,
    '--client',
    folder.firstClient,
  );
  t.equal(code, 1);
  t.match(stderr, 'ATTESTATION_PCR_MISMATCH');
  t.notOk(enclave.asked.slice(before).includes('change-keys'));
});

t.test('trusts no emulated enclave unless its root is named (ATTESTATION_ROOT_MISMATCH)', async (t) => {
  const { stderr } = await run(
    'ceremony',
    '--enclave',
    folder.enclave,
    '--key',
    alice,
    ...proof.slice(0, 2),
    '--client',
    folder.firstClient,
  );
  t.match(stderr, /error ATTESTATION_/);
});

t.test('asks for the image that is meant, and for who signs (CLI_OPTION)', async (t) => {
  const base = ['ceremony', '--enclave', folder.enclave, '--client', folder.firstClient];
  const unsaid = await run(...base, '--key', alice);
  t.match(unsaid.stderr, /CLI_OPTION.*which image is meant.*--measurements FILE, or --pcr/);
  t.notMatch(unsaid.stderr, '--no-measurements', 'an option that the command does not have');
  t.match((await run(...base, ...proof)).stderr, /CLI_OPTION.*who signs/);
});

t.test('signs with no key that enclave.yaml does not name (CLI_OPTION)', async (t) => {
  const stranger = (await keptKeys(t, ['mallory'])).keys[0] ?? '';
  const { stderr } = await run(
    'ceremony',
    '--enclave',
    folder.enclave,
    '--key',
    stranger,
    ...proof,
    '--client',
    folder.firstClient,
  );
  t.match(stderr, /CLI_OPTION.*no key of an operator/);
});

t.test('tells the enclave’s own refusal, with its code and advice', async (t) => {
  enclave.refusing.set('change-keys', 'KEY_REQUEST_REFUSED');
  const { code, stderr } = await run(...CEREMONY);
  enclave.refusing.clear();
  t.equal(code, 1);
  t.match(stderr, /KEY_REQUEST_REFUSED[\s\S]*as the \\x1b\[2Ktest[\s\S]*what to do/, 'and no terminal obeys it');
});

t.test('does not believe a parent that brings another key set than was asked for (CLI_KEYS_ANSWER)', async (t) => {
  // The request of somebody else, whose set the parent shows to everybody.
  t.equal((await run(...CEREMONY)).code, 0);
  const made = await run('rotate', 'master', ...change);
  t.equal(made.code, 0, made.stderr);
  enclave.answersWithLast = true;
  const { code, stderr } = await run('rotate', 'master', ...change);
  enclave.answersWithLast = false;
  t.equal(code, 1);
  t.match(stderr, /CLI_KEYS_ANSWER.*made for another request/);
});

t.test('believes no parent that says that something has changed, and shows no set (CLI_KEYS_ANSWER)', async (t) => {
  enclave.saysChanged = true;
  for (const words of [['rotate', 'master'], ['rotate', 'data', '--client', folder.firstClient], ['reshare']]) {
    const { code, stderr, stdout } = await run(...words, ...change);
    t.equal(code, 1, words.join(' '));
    t.match(stderr, /CLI_KEYS_ANSWER.*found: changed; allowed: made/, words.join(' '));
    t.notMatch(stdout, 'as you', words.join(' '));
  }
  enclave.saysChanged = false;
});

t.test('has the enclave prove that there is another TLS key, and does not take the parent’s word for it', async (t) => {
  const rotated = await run('rotate', 'tls', ...change);
  t.equal(rotated.code, 0, rotated.stderr);
  t.match(rotated.stdout, /changed the TLS key of new sessions is [0-9a-f]{64}, proved/);
  enclave.saysChanged = true;
  const said = await run('rotate', 'tls', ...change);
  const asJson = await run('rotate', 'tls', ...change, '--json');
  enclave.saysChanged = false;
  t.match(said.stdout, /The parent says: as you\\x9b2K wish. The enclave still proves [0-9a-f]{64}/);
  t.notMatch(said.stdout, 'changed the TLS key');
  t.match(JSON.parse(asJson.stdout), { kind: 'changed', judged: false });
});

t.test('holds no second ceremony, and says what changes keys that there are (CLI_OPTION)', async (t) => {
  const before = enclave.asked.length;
  const { code, stderr, stdout } = await run(...CEREMONY);
  t.equal(code, 1);
  t.match(stderr, /CLI_OPTION.*has keys already.*generation \d+.*keys rotate/);
  t.notMatch(stdout, 'there are no keys yet');
  t.notOk(enclave.asked.slice(before).includes('change-keys'));
});

t.test('reads no operators from the folder of an enclave of another name (CLI_OPTION)', async (t) => {
  const other = await keptKeys(t, ['alice']);
  changeYaml(other.folder, () => ({ name: 'another' }));
  const words = ['rotate', 'master', '--enclave', other.folder.enclave, ...proof];
  const { stderr } = await run(...words, '--key', other.keys[0] ?? '');
  t.match(stderr, /CLI_OPTION.*another name; found: another; allowed: patients/);
});

t.test('names the user that enclave.yaml lacks (KEY_DATABASE_USER)', async (t) => {
  t.match((await run('rotate', 'database', 'nobody', ...change)).stderr, /KEY_DATABASE_USER/);
  t.match((await run('settle', 'nobody', ...change)).stderr, /KEY_DATABASE_USER/);
});

t.test('says where the key set in use is to be named for a listener, and that it takes no request', async (t) => {
  const url = ['--url', 'http://127.0.0.1:9', '--enclave', folder.enclave, ...proof];
  const { stderr } = await folder.keys('rotate master', '--key', alice, ...url.slice(0, 2), ...proof);
  t.match(stderr, /CLI_OPTION.*takes no requests/);
  const out = [...url, '--out', join(folder.enclave, 'request.json')];
  t.match((await folder.keys('rotate master', ...out)).stderr, /^error CLI_OPTION.*--from is missing/, 'at once');
  t.match((await folder.keys('rotate master', ...out, '--from', 'zz')).stderr, /^error CLI_OPTION.*--from is no hash/);
  t.match((await run('submit', join(folder.enclave, 'enclave.yaml'))).stderr, 'KEY_REQUEST_INVALID');
});
