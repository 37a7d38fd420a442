import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { KeystoreError } from '../../../acra/errors.ts';
import { checkKeystore } from '../../../acra/keystore/check.ts';
import { clientKeyIds } from '../../../acra/keystore/key-ids.ts';
import { listKeystore } from '../../../acra/keystore/listing.ts';
import { rewrapKeys } from '../../../acra/keystore/rewrap.ts';
import { rotateKeys } from '../../../acra/keystore/rotate.ts';
import { themis } from '../../../acra/keystore/themis.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { atRest, masterKey, masterKeyBytes, masterKeyWithFlippedBit, writeKeystore } from '../support/at-rest.ts';
import { contentsBelow } from '../support/contents-below.ts';

const newMasterKeyBytes = () => seededRandom('new master key').bytes(32);
const newMasterKey = () => SecretBuffer.take(newMasterKeyBytes());

/** What acra-server 0.96.0 made, the audit log's key included, and rotated keys beside. */
async function madeKeystore(t: Parameters<typeof temporaryFolder>[0]) {
  const parent = temporaryFolder(t);
  const given = writeKeystore(parent);
  const folder = join(parent, 'rotated');
  const clientIds = [atRest.clientId];
  const random = seededRandom('rotated');
  await rotateKeys({ folder: given, newFolder: folder, masterKey: masterKey(), clientIds, nowMs: 0, random });
  return { parent, folder, newFolder: join(parent, 'rewrapped') };
}

const rewrap = ({ folder, newFolder }: { folder: string; newFolder: string }, changed: object = {}) =>
  rewrapKeys({ folder, newFolder, masterKey: masterKey(), newMasterKey: newMasterKey(), ...changed });

t.test('makes a keystore that opens with the new key, with the same files', async (t) => {
  const made = await madeKeystore(t);
  await rewrap(made);
  const [before, after] = [made.folder, made.newFolder].map(contentsBelow);
  t.same(Object.keys(after ?? {}), Object.keys(before ?? {}));
  t.ok(after?.[`${atRest.clientId}_storage_sym.old/1970-01-01T00:00:00`], 'a rotated key');
  t.ok(after?.['secure_log_key']);
  const report = await checkKeystore({ folder: made.newFolder, masterKey: newMasterKey(), poisonDetection: true });
  t.same(report.findings, []);
  t.equal(report.openedKeys, 8);
});

t.test('keeps every key that is in a private file, of clients, poison records and the audit log', async (t) => {
  const made = await madeKeystore(t);
  await rewrap(made);
  const { files } = await listKeystore(made.folder);
  for (const { path, context } of files) {
    const [before, after] = [made.folder, made.newFolder].map((folder) => readFileSync(join(folder, path)));
    if (!before || !after) throw t.fail(path);
    if (context === undefined) t.same(after, before, `${path} is public`);
    else {
      t.same(themis.open(newMasterKeyBytes(), after, context), themis.open(masterKeyBytes(), before, context), path);
      t.notOk(after.includes(themis.open(masterKeyBytes(), before, context) ?? ''), `${path} is sealed`);
    }
  }
});

t.test('keeps the ids by which stored values name the keys', async (t) => {
  const made = await madeKeystore(t);
  await rewrap(made);
  t.same(
    await clientKeyIds({ folder: made.newFolder, masterKey: newMasterKey() }),
    await clientKeyIds({ folder: made.folder, masterKey: masterKey() }),
  );
});

t.test('makes one that the old master key does not open (KEYSTORE_FOREIGN)', async (t) => {
  const made = await madeKeystore(t);
  await rewrap(made);
  const report = await checkKeystore({ folder: made.newFolder, masterKey: masterKey() });
  t.equal(report.findings[0]?.code, 'KEYSTORE_FOREIGN');
});

t.test('refuses another master key, a damaged file, and a new key of another length; nothing is left', async (t) => {
  const made = await madeKeystore(t);
  const before = contentsBelow(made.folder);
  const foreign = { masterKey: masterKeyWithFlippedBit(0) };
  await rejectsCode(() => rewrap(made, foreign), KeystoreError, 'KEYSTORE_FOREIGN');
  const long = { newMasterKey: SecretBuffer.take(Buffer.alloc(64, 1)) };
  await rejectsCode(() => rewrap(made, long), KeystoreError, 'KEYSTORE_MASTER_KEY_LENGTH');
  await rejectsCode(() => rewrap({ ...made, newFolder: made.folder }), KeystoreError, 'KEYSTORE_EXISTS');
  t.same(contentsBelow(made.folder), before);
  writeFileSync(join(made.folder, '.poison_key/poison_key_sym'), 'damaged');
  await rejectsCode(() => rewrap(made), KeystoreError, 'KEYSTORE_FILE_DAMAGED');
  t.same(readdirSync(made.parent).toSorted(), ['keystore', 'rotated']);
});
