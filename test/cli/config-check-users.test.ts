/** `config check` of a folder whose enclave.yaml has users of the database, after its ceremony. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { GOOD, makeCertificate, newEd25519Key } from '../keys/support/certificate-maker.ts';
import { acraEnclave } from './support/acra-enclave.ts';
import type { KeysFolder } from './support/keys-folder.ts';
import { keysFolder } from './support/keys-folder.ts';
import { changeYaml, ofKeys, passwordOptions, SECRETS, setUsers, USERS } from './support/users-folder.ts';

const done = await keysFolder(t);
setUsers(done, USERS);
t.equal((await done.keys('new', ...ofKeys(done), ...passwordOptions(done))).code, 0);

const check = (folder: KeysFolder, ...options: readonly string[]) =>
  acraEnclave(['config', 'check', ...options, join(folder.enclave, 'enclave.yaml')]);
const checkToJson = async (folder: KeysFolder) => JSON.parse((await check(folder, '--json')).stdout);

t.test('names each sealed password that is not there yet, and its user', async (t) => {
  const folder = done.copy(t);
  for (const file of Object.values(SECRETS)) rmSync(join(folder.enclave, file));
  t.match(await checkToJson(folder), { missing: Object.values(SECRETS) });
  const { stdout } = await check(folder);
  t.match(stdout, 'not there yet database/app.sealed: the sealed password of database user app');
  t.match(stdout, 'not there yet secrets/of/reports: the sealed password of database user reports');
});

t.test('rejects what was never sealed, by the user that it should be of (KEYSTORE_SEALED_FILE)', async (t) => {
  const folder = done.copy(t);
  writeFileSync(join(folder.enclave, SECRETS.reports), 'the password itself');
  const { code, stderr } = await check(folder);
  t.equal(code, 78);
  t.match(
    stderr,
    'error KEYSTORE_SEALED_FILE: secrets/of/reports does not hold the sealed password of database user reports',
  );
  t.notMatch(stderr, 'the password itself');
});

t.test('rejects a client without keys, by its name and its user (KEYSTORE_KEY_MISSING)', async (t) => {
  const folder = done.copy(t);
  setUsers(folder, [{ ...USERS[0], clients: ['CN=first application', 'CN=second'] }, USERS[1] ?? {}]);
  const { code, stderr } = await check(folder);
  t.equal(code, 78);
  t.match(stderr, 'error KEYSTORE_KEY_MISSING:');
  t.match(stderr, 'client "CN=second" (database user app) has no keys');
  t.notMatch(stderr, 'client "CN=first application"');
});

t.test('rejects a client that lacks one of the keys that columns need (KEYSTORE_KEY_MISSING)', async (t) => {
  const folder = done.copy(t);
  for (const name of Object.keys(folder.content()).filter((file) => file.endsWith('_hmac'))) {
    rmSync(join(folder.enclave, name));
  }
  const { stderr } = await check(folder);
  t.match(stderr, 'client "CN=first application" (database user app, reports) lacks: search-hmac');
});

t.test('warns of certificates that SCRAM cannot be bound to, where TLS ends in the enclave', async (t) => {
  const folder = done.copy(t);
  t.same((await checkToJson(folder)).warnings, []);
  const authority = makeCertificate({ ...GOOD.authority, key: newEd25519Key() }, Date.now());
  const server = makeCertificate({ ...GOOD.server, key: folder.server.key }, Date.now(), authority);
  folder.write('enclave/tls/server.pem', server.pem);
  folder.write('enclave/tls/database-ca.pem', authority.pem);
  const { warnings } = await checkToJson(folder);
  t.match(warnings, [
    /^tls\/server\.pem: clients must not demand channel binding: .*Ed25519.*CN=server/,
    /^tls\/database-ca\.pem: logins to the database go without channel binding: .*Ed25519.*CN=client CA/,
  ]);
  changeYaml(folder, () => ({ ingress: { tls: 'passthrough' }, database: { serverName: 'db.test' } }));
  t.same((await checkToJson(folder)).warnings, []);
});

t.test('keeps an Ed25519 key that is signed by another kind without a warning', async (t) => {
  const folder = done.copy(t);
  const key = newEd25519Key();
  const server = makeCertificate({ ...GOOD.server, key }, Date.now(), folder.authority);
  folder.write('enclave/tls/server.pem', server.pem);
  const sealed = await folder.keys('seal', '--server-key', folder.write('ed25519.key', server.keyPem));
  t.equal(sealed.code, 0, sealed.stderr);
  t.same((await checkToJson(folder)).warnings, []);
});
