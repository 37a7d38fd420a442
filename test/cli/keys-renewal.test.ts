/** `keys add-client` and `keys seal` as a user runs them, against the emulated KMS: all or nothing. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

const cutOff = (bytes: Buffer) => bytes.subarray(0, -1);
const BROKEN: Readonly<Record<string, (bytes: Buffer) => Buffer | string>> = {
  empty: () => '',
  'cut off': cutOff,
  'with a byte too many': (bytes) => Buffer.concat([bytes, Buffer.of(0)]),
  text: () => 'not a key at all, but longer than any header',
};

t.test('config check rejects keys that cannot be what their names say', async (t) => {
  const folder = done.copy(t);
  const check = () => acraEnclave(['config', 'check', join(folder.enclave, 'enclave.yaml')]);
  const keys = Object.keys(folder.content()).filter((name) => name.startsWith('keystore/'));
  const named = (end: string) => keys.find((name) => name.endsWith(end)) ?? '';
  const places = {
    'tls/server.key.sealed': 'KEYSTORE_SEALED_FILE',
    [named('_storage_sym')]: 'KEYSTORE_FILE_DAMAGED',
    [named('poison_key')]: 'KEYSTORE_FILE_DAMAGED',
    [named('_storage.pub')]: 'KEYSTORE_KEY_INVALID',
  };
  for (const [name, code] of Object.entries(places)) {
    const path = join(folder.enclave, name);
    const bytes = readFileSync(path);
    for (const [what, damage] of Object.entries(BROKEN)) {
      writeFileSync(path, damage(bytes));
      const outcome = await check();
      t.match(outcome, { code: 78, stderr: `error ${code}:` }, `${name}, ${what}`);
      t.match(outcome.stderr, name.replace('keystore/', ''));
    }
    writeFileSync(path, bytes);
  }
  rmSync(join(folder.enclave, 'tls/server.key.sealed'));
  mkdirSync(join(folder.enclave, 'tls/server.key.sealed'));
  t.match((await check()).stderr, 'error KEYSTORE_SEALED_FILE:', 'a folder');
  rmSync(join(folder.enclave, 'tls/server.key.sealed'), { recursive: true });
  writeFileSync(join(folder.enclave, 'tls/server.key.sealed'), readFileSync(folder.serverKey));
  t.match((await check()).stderr, 'error KEYSTORE_SEALED_FILE:', 'the key itself');
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
