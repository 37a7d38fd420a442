import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { AcraError, KeystoreError } from '../../../acra/errors.ts';
import { checkKeystore } from '../../../acra/keystore/check.ts';
import { createKeystore } from '../../../acra/keystore/create.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { masterKey } from '../support/at-rest.ts';

const CLIENTS = ['first client', 'second_client'];

function create(folder: string, changed: object = {}) {
  return createKeystore({
    folder,
    masterKey: masterKey(),
    clientIds: CLIENTS,
    random: seededRandom('keystore'),
    ...changed,
  });
}

const modeOf = (file: string) => (statSync(file).mode & 0o7777).toString(8);

t.test('makes a keystore that its own check finds sound', async (t) => {
  const folder = join(temporaryFolder(t), 'keystore');
  await create(folder);
  const report = await checkKeystore({ folder, masterKey: masterKey(), poisonDetection: true });
  t.same(report.findings, []);
  t.same(report.clientIds, CLIENTS);
  t.equal(report.openedKeys, 8);
});

t.test('gives the modes that acra-server wants, whatever the umask', async (t) => {
  const parent = temporaryFolder(t);
  const before = process.umask(0o077);
  t.teardown(() => process.umask(before));
  const folder = join(parent, 'keystore');
  await create(folder);
  t.equal(modeOf(folder), '700');
  t.equal(modeOf(join(folder, '.poison_key')), '700');
  t.equal(modeOf(join(folder, 'first client_storage')), '600');
  t.equal(modeOf(join(folder, 'first client_storage.pub')), '644');
});

t.test('leaves poison keys out on demand, and makes a client that is named twice once', async (t) => {
  const folder = join(temporaryFolder(t), 'keystore');
  await create(folder, { poison: false, clientIds: ['first client', 'first client'] });
  t.equal(readdirSync(folder).length, 4);
});

t.test('writes no key in clear', async (t) => {
  const folder = join(temporaryFolder(t), 'keystore');
  await create(folder);
  const random = seededRandom('keystore');
  const secrets = Array.from({ length: 4 }, () => random.bytes(32));
  const files = readdirSync(folder).filter((name) => !name.startsWith('.'));
  for (const name of files) {
    const content = readFileSync(join(folder, name));
    t.notOk(
      secrets.some((secret) => content.includes(secret)),
      name,
    );
  }
});

t.test('refuses a folder that exists, and leaves nothing beside it (KEYSTORE_EXISTS)', async (t) => {
  const parent = temporaryFolder(t);
  const folder = join(parent, 'keystore');
  mkdirSync(folder);
  await rejectsCode(() => create(folder), KeystoreError, 'KEYSTORE_EXISTS');
  t.same(readdirSync(parent), ['keystore']);
});

t.test('rejects a parent that is not there (KEYSTORE_WRITE)', async (t) => {
  const folder = join(temporaryFolder(t), 'none', 'keystore');
  await rejectsCode(() => create(folder), KeystoreError, 'KEYSTORE_WRITE');
});

for (const length of [0, 31, 33, 64]) {
  t.test(`rejects a master key of ${length} bytes (KEYSTORE_MASTER_KEY_LENGTH)`, async (t) => {
    const folder = join(temporaryFolder(t), 'keystore');
    const short = SecretBuffer.take(Buffer.alloc(length, 1));
    await rejectsCode(() => create(folder, { masterKey: short }), KeystoreError, 'KEYSTORE_MASTER_KEY_LENGTH');
  });
}

for (const clientIds of [[], ['abc'], ['good client', '../evil']]) {
  t.test(`rejects the client ids ${JSON.stringify(clientIds)} (ACRA_CLIENT_ID_INVALID)`, async (t) => {
    const folder = join(temporaryFolder(t), 'keystore');
    await rejectsCode(() => create(folder, { clientIds }), AcraError, 'ACRA_CLIENT_ID_INVALID');
  });
}
