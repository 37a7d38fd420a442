/** `keys rotate data`, `keys ids` and `keys forget-old` as a user runs them, against the emulated KMS: all or nothing. */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import t from 'tap';
import { clientIdFromCertificate } from '../../acra/client-id.ts';
import { rolePolicy } from '../emulator/support/kms-fixture.ts';
import { acraEnclave } from './support/acra-enclave.ts';
import { clientsOf, doneKeysFolder, type KeysFolder } from './support/keys-folder.ts';

/** A folder after its ceremony; tests copy it. */
const done = await doneKeysFolder(t);
const clientId = clientIdFromCertificate(readFileSync(done.firstClient), 'distinguished_name');

const check = (folder: KeysFolder) => acraEnclave(['config', 'check', join(folder.enclave, 'enclave.yaml')]);
const rotate = (folder: KeysFolder, ...words: readonly string[]) =>
  folder.keys('rotate data', '--client', folder.firstClient, ...words);

async function idsOf(folder: KeysFolder) {
  const { code, stdout, stderr } = await folder.keys('ids', '--json');
  t.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

t.test('gives a client new keys that the folder is sound with, and tells their ids', async (t) => {
  const folder = done.copy(t);
  const [before, idsBefore] = [folder.content(), await idsOf(folder)];
  const rotated = await rotate(folder);
  t.equal(rotated.code, 0, rotated.stderr);
  t.match(rotated.stdout, /^rotated data keys of client [0-9a-f]{128} .*\nBuild the image again/);
  t.equal((await check(folder)).code, 0);
  t.equal((await clientsOf(folder)).length, 1);
  const after = folder.content();
  const changed = Object.keys(before).filter((name) => after[name] !== before[name]);
  t.same(
    changed.map((name) => name.replace(clientId, 'ID')),
    ['keystore/ID_storage', 'keystore/ID_storage.pub', 'keystore/ID_storage_sym'],
  );
  for (const name of changed) t.ok(Object.values(after).includes(before[name] ?? ''), `${name} is kept`);
  const ids = await idsOf(folder);
  t.same(ids.clients[0].old, [idsBefore.clients[0].current]);
  t.notSame(ids.clients[0].current, idsBefore.clients[0].current);
});

t.test('prints the ids of all clients, each with its old ones', async (t) => {
  const folder = done.copy(t);
  const added = await folder.keys('add-client', '--client', folder.client());
  t.equal(added.code, 0, added.stderr);
  const { stdout } = await rotate(folder, '--json');
  t.same(JSON.parse(stdout), await idsOf(folder));
  const lines = (await folder.keys('ids')).stdout.trimEnd().split('\n');
  t.equal(lines.length, 2);
  t.same(lines.map((line) => line.split(' ').length).toSorted(), [2, 3]);
});

t.test('refuses a client without keys, and changes nothing (KEYSTORE_KEY_MISSING)', async (t) => {
  const folder = done.copy(t);
  const before = folder.content();
  const { stderr } = await rotate(folder, folder.client());
  t.match(stderr, 'error KEYSTORE_KEY_MISSING:');
  t.same(folder.content(), before);
});

/** As `data reencrypt --check --json` prints it, of the demo's only table. */
async function proofOf(folder: KeysFolder, change: object = {}, name = 'proof.json'): Promise<string> {
  const [{ current, old }] = (await idsOf(folder)).clients;
  const columns = ['email', 'diagnosis'];
  const proof = { outcome: 'proved', clientId, current, old, table: 'patients', columns, ...change };
  return folder.write(name, JSON.stringify(proof));
}

const forget = (folder: KeysFolder, ...proofs: readonly string[]) =>
  folder.keys('forget-old', '--client', folder.firstClient, '--proof', ...proofs);

t.test('forgets the old keys of a client, once it is proved that nothing is under them', async (t) => {
  const folder = done.copy(t);
  for (let times = 0; times < 2; times += 1) t.equal((await rotate(folder)).code, 0);
  const [before, idsBefore] = [folder.content(), await idsOf(folder)];
  t.equal(idsBefore.clients[0].old.length, 2);
  const gone = await forget(folder, await proofOf(folder));
  t.equal(gone.code, 0, gone.stderr);
  t.equal(gone.stdout.match(/^gone .*\.old\//gm)?.length, 6);
  t.equal((await check(folder)).code, 0);
  t.same((await idsOf(folder)).clients, [{ ...idsBefore.clients[0], old: [] }]);
  const kept = Object.entries(before).filter(([name]) => !name.includes('.old/'));
  t.same(folder.content(), Object.fromEntries(kept));
});

t.test('keeps old key pairs where a column has AcraStructs, which do not name theirs', async (t) => {
  const folder = done.copy(t);
  t.equal((await rotate(folder)).code, 0);
  appendFileSync(join(folder.enclave, 'encryptor.yaml'), STRUCTS);
  const proof = await proofOf(folder);
  t.match((await forget(folder, proof)).stderr, 'error KEY_PROOF:', 'AcraBlocks may lie between them');
  const letters = await proofOf(folder, { table: 'letters', columns: ['text'] }, 'letters.json');
  const gone = await forget(folder, proof, letters);
  t.equal(gone.code, 0, gone.stderr);
  t.match(gone.stderr, /old key pairs stay/);
  const old = Object.keys(folder.content()).filter((name) => name.includes('.old/'));
  t.equal(old.length, 2);
  t.ok(old.every((name) => /_storage(\.pub)?\.old\//.test(name)));
});

const STRUCTS = `  - table: letters
    columns: [id, text]
    encrypted:
      - column: text
        data_type: str
        crypto_envelope: acrastruct
`;
const WITHOUT_PROOF: Readonly<Record<string, object>> = {
  'of one column only': { columns: ['email'] },
  'of another table': { table: 'persons' },
  'of another client': { clientId: 'a'.repeat(128) },
  'of keys before another rotation': { current: '0000' },
  'that did not know of an old key': { old: [] },
  'that failed': { outcome: 'left' },
};

t.test('forgets nothing without a proof of every column, with the keys that there are (KEY_PROOF)', async (t) => {
  const folder = done.copy(t);
  t.equal((await rotate(folder)).code, 0);
  const before = folder.content();
  for (const [what, change] of Object.entries(WITHOUT_PROOF)) {
    const { code, stderr } = await forget(folder, await proofOf(folder, change));
    t.not(code, 0);
    t.match(stderr, 'error KEY_PROOF:', what);
  }
  t.match((await forget(folder, folder.firstClient)).stderr, 'error KEY_PROOF:', 'no proof at all');
  t.same(folder.content(), before);
});

t.test('changes nothing when KMS does not decrypt (KEY_DECRYPT_DENIED)', async (t) => {
  const folder = done.copy(t);
  t.equal((await rotate(folder)).code, 0);
  const proof = await proofOf(folder);
  const before = folder.content();
  await folder.kms.admin.send(new PutKeyPolicyCommand({ KeyId: folder.keyArn, Policy: rolePolicy({}) }));
  for (const outcome of [await rotate(folder), await forget(folder, proof), await folder.keys('ids')])
    t.match(outcome.stderr, 'error KEY_DECRYPT_DENIED:');
  t.same(folder.content(), before);
});
