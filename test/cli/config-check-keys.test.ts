/** `config check` of a folder whose keys the parent instance keeps: it holds the operators' public keys, and no sealed one. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { acraEnclave } from './support/acra-enclave.ts';
import { type KeysFolder, keysFolder } from './support/keys-folder.ts';
import { changeYaml, setUsers, USERS } from './support/users-folder.ts';

const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' });
const anna = generateKeyPairSync('ed25519');
const boris = generateKeyPairSync('ed25519');
const OPERATORS = ['anna', 'boris'].map((name) => ({ name, key: `operators/${name}.pem` }));

async function parentFolder(test: Test, keys: object = { pin: 'policy' }): Promise<KeysFolder> {
  const folder = await keysFolder(test);
  setUsers(folder, USERS);
  changeYaml(folder, () => ({
    tls: { key: 'attested', names: ['db.example.com'] },
    keys: { source: 'parent', operators: OPERATORS, ...keys },
  }));
  folder.write('enclave/operators/anna.pem', pem(anna.publicKey));
  folder.write('enclave/operators/boris.pem', pem(boris.publicKey));
  return folder;
}

const check = (folder: KeysFolder, ...options: readonly string[]) =>
  acraEnclave(['config', 'check', ...options, join(folder.enclave, 'enclave.yaml')]);

t.test('misses no sealed key where the parent keeps them', async (t) => {
  const { stdout } = await check(await parentFolder(t), '--json');
  t.match(JSON.parse(stdout), { valid: true, missing: [] });
  t.notMatch(stdout, 'rollback');
});

t.test('names an operator whose key is not there yet', async (t) => {
  const folder = await parentFolder(t);
  rmSync(join(folder.enclave, 'operators/boris.pem'));
  const { code, stdout } = await check(folder);
  t.equal(code, 0);
  t.match(stdout, 'not there yet operators/boris.pem: the public key of operator boris');
});

t.test('rejects a private key in the place of the public one, and shows nothing of it', async (t) => {
  const folder = await parentFolder(t);
  const secret = boris.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  folder.write('enclave/operators/boris.pem', secret);
  const { code, stderr } = await check(folder);
  t.equal(code, 78);
  t.match(stderr, 'error KEY_OPERATOR_INVALID: operators/boris.pem: is no public key of operator boris');
  t.notMatch(stderr, secret.split('\n')[1] ?? '-');
});

t.test('rejects one key for two operators (KEY_OPERATOR_TWICE)', async (t) => {
  const folder = await parentFolder(t);
  folder.write('enclave/operators/boris.pem', pem(anna.publicKey));
  t.match((await check(folder)).stderr, 'error KEY_OPERATOR_TWICE: operators/boris.pem: ');
});

t.test(
  'warns where nothing is pinned, where a ceremony stays allowed, and of sealed keys that nobody uses',
  async (t) => {
    const folder = await parentFolder(t, { ceremony: 'allowed' });
    folder.write('enclave/master-key.json', '{}');
    const { code, stdout } = await check(folder);
    t.equal(code, 0);
    t.match(stdout, 'warning keys.pin is none: rollback is not excluded');
    t.match(stdout, 'warning keys.ceremony is allowed');
    t.match(stdout, 'warning master-key.json is there and is not used');
  },
);
