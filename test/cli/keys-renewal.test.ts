/** `keys add-client` and `keys seal` as a user runs them, against the emulated KMS: all or nothing. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import t from 'tap';
import { rolePolicy } from '../emulator/support/kms-fixture.ts';
import { GOOD, makeCertificate } from '../keys/support/certificate-maker.ts';
import { acraEnclave } from './support/acra-enclave.ts';
import { clientsOf, doneKeysFolder, FIRST_SUBJECT, openSealedKey, removeKeys } from './support/keys-folder.ts';

/** A folder after its ceremony; tests copy it. */
const done = await doneKeysFolder(t);

t.test('adds a client, whose keys open with the same master key', async (t) => {
  const folder = done.copy(t);
  const before = folder.content();
  const added = await folder.keys('add-client', '--client', folder.client(), folder.client());
  t.equal(added.code, 0, added.stderr);
  t.equal((await clientsOf(folder)).length, 3);
  t.match(folder.content(), before, 'what was there stays');
});

t.test('add-client rejects a client that has keys, under a renewed certificate too (KEY_CLIENT_EXISTS)', async (t) => {
  const folder = done.copy(t);
  const before = folder.content();
  const subject = FIRST_SUBJECT;
  for (const client of [folder.firstClient, folder.client({ subject })]) {
    const outcome = await folder.keys('add-client', '--client', folder.client(), client);
    t.match(outcome.stderr, 'error KEY_CLIENT_EXISTS:');
  }
  t.same(folder.content(), before);
});

t.test('add-client and seal refuse a keystore of another master key (KEYSTORE_FOREIGN)', async (t) => {
  const folder = removeKeys(done.copy(t));
  t.equal((await folder.keys('new', '--server-key', folder.serverKey, '--client', folder.firstClient)).code, 0);
  writeFileSync(join(folder.enclave, 'master-key.json'), readFileSync(join(done.enclave, 'master-key.json')));
  const before = folder.content();
  t.match((await folder.keys('add-client', '--client', folder.client())).stderr, 'error KEYSTORE_FOREIGN:');
  t.match((await folder.keys('seal', '--server-key', folder.serverKey)).stderr, 'error KEYSTORE_FOREIGN:');
  t.same(folder.content(), before);
});

t.test('seals the key of another certificate; until then config check refuses the folder', async (t) => {
  const folder = done.copy(t);
  const renewed = makeCertificate({ ...GOOD.server, subject: 'renewed' }, Date.now(), folder.authority);
  folder.write('enclave/tls/server.pem', renewed.pem);
  const check = () => acraEnclave(['config', 'check', join(folder.enclave, 'enclave.yaml')]);
  t.match((await check()).stderr, 'error KEY_CERTIFICATE_MISMATCH:');
  const old = await folder.keys('seal', '--server-key', folder.serverKey);
  t.match(old.stderr, 'error KEY_CERTIFICATE_MISMATCH:', 'the old key is not the one of the new certificate');
  const sealed = await folder.keys('seal', '--server-key', folder.write('new.key', renewed.keyPem));
  t.equal(sealed.code, 0, sealed.stderr);
  t.equal(await openSealedKey(folder), renewed.keyPem);
  t.equal((await check()).code, 0);
});

t.test('accepts a renewed certificate of the same key without sealing', async (t) => {
  const folder = done.copy(t);
  const renewed = makeCertificate(
    { ...GOOD.server, serial: '7f', key: folder.server.key },
    Date.now(),
    folder.authority,
  );
  folder.write('enclave/tls/server.pem', renewed.pem);
  t.equal((await acraEnclave(['config', 'check', join(folder.enclave, 'enclave.yaml')])).code, 0);
});

t.test('config check rejects a keystore without the keys that columns need (KEYSTORE_KEY_MISSING)', async (t) => {
  const folder = done.copy(t);
  for (const name of Object.keys(folder.content()).filter((file) => file.endsWith('_hmac'))) {
    rmSync(join(folder.enclave, name));
  }
  const outcome = await acraEnclave(['config', 'check', join(folder.enclave, 'enclave.yaml')]);
  t.match(outcome.stderr, 'error KEYSTORE_KEY_MISSING:');
});

t.test('says what would have to be allowed when the key policy refuses Decrypt (KEY_DECRYPT_DENIED)', async (t) => {
  const folder = done.copy(t);
  const before = folder.content();
  await folder.kms.admin.send(new PutKeyPolicyCommand({ KeyId: folder.keyArn, Policy: rolePolicy({}) }));
  for (const words of [
    ['add-client', '--client', folder.client()],
    ['seal', '--server-key', folder.serverKey],
  ]) {
    const { stderr } = await folder.keys(...words);
    t.match(stderr, 'error KEY_DECRYPT_DENIED:');
    t.match(stderr, 'AccessDeniedException');
    t.match(stderr, '"Action": "kms:Decrypt"');
  }
  t.same(folder.content(), before);
});
