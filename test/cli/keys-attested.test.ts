/** An enclave that makes its TLS key itself: its keys are made without one, and a key that is given all the same is refused by name. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { sealedServerKey } from '../../keys/master-key-file.ts';
import { GOOD, makeCertificate, newEd25519Key } from '../keys/support/certificate-maker.ts';
import { acraEnclave } from './support/acra-enclave.ts';
import { type KeysFolder, keysFolder } from './support/keys-folder.ts';
import { changeYaml, passwordOptions, setUsers, USERS } from './support/users-folder.ts';

const ofKeys = ({ firstClient }: KeysFolder) => ['--client', firstClient];

async function attestedFolder(test: Parameters<typeof keysFolder>[0]): Promise<KeysFolder> {
  const folder = await keysFolder(test);
  setUsers(folder, USERS);
  changeYaml(folder, () => ({ tls: { key: 'attested', names: ['db.example.com'] } }));
  return folder;
}

t.test('makes keys without a TLS key, and `config check` misses none', async (t) => {
  const folder = await attestedFolder(t);
  const made = await folder.keys('new', ...ofKeys(folder), ...passwordOptions(folder));
  t.equal(made.code, 0, made.stderr);
  t.equal(sealedServerKey(readFileSync(join(folder.enclave, 'master-key.json'), 'utf8')), undefined);
  t.notOk(existsSync(join(folder.enclave, 'tls/server.key.sealed')));
  const checked = await acraEnclave(['config', 'check', join(folder.enclave, 'enclave.yaml'), '--json'], {});
  t.match(JSON.parse(checked.stdout), { valid: true, missing: [] });
});

t.test('rejects a TLS key that is given (KEY_NOT_SEALED)', async (t) => {
  const folder = await attestedFolder(t);
  const key = ['--server-key', folder.serverKey];
  const made = await folder.keys('new', ...key, ...ofKeys(folder), ...passwordOptions(folder));
  t.match(made.stderr, 'error KEY_NOT_SEALED:');
  t.match((await folder.keys('seal', ...key)).stderr, 'error KEY_NOT_SEALED:');
});

t.test('rejects a ceremony without a TLS key where it is to be sealed (CLI_OPTION)', async (t) => {
  const folder = await keysFolder(t);
  t.match((await folder.keys('new', ...ofKeys(folder))).stderr, '--server-key is missing');
});

t.test('tells what is missing, and what is wrong, of the CA that is to sign', async (t) => {
  const folder = await attestedFolder(t);
  changeYaml(folder, () => ({ tls: { key: 'attested', certificate: 'operator-ca', names: ['db.example.com'] } }));
  const check = () => acraEnclave(['config', 'check', join(folder.enclave, 'enclave.yaml')], {});
  t.match((await check()).stdout, /not there yet\S* tls\/server-ca\.pem/);
  folder.write('enclave/tls/server-ca.pem', folder.server.pem);
  t.match((await check()).stderr, 'error CERTIFICATE_NOT_CA:');
  const unbound = makeCertificate({ ...GOOD.authority, key: newEd25519Key() }, Date.now());
  folder.write('enclave/tls/server-ca.pem', unbound.pem);
  t.match((await check()).stdout, /tls\/server-ca\.pem: clients must not demand channel binding/);
  folder.write('enclave/tls/server-ca.pem', folder.authority.pem);
  t.notMatch((await check()).stdout, 'channel binding');
});
