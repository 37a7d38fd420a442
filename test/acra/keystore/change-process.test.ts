/** What a daemon has made and changed by another process: keystores and sealed secrets that open with the key that they should, and with no other. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { KeystoreError } from '../../../acra/errors.ts';
import { changeKeystore } from '../../../acra/keystore/change-process.ts';
import { checkKeystore } from '../../../acra/keystore/check.ts';
import { databaseUserContext } from '../../../acra/keystore/seal-file.ts';
import { themis } from '../../../acra/keystore/themis.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { atRest, masterKey, masterKeyBytes, masterKeyWithFlippedBit, writeKeystore } from '../support/at-rest.ts';
import { contentsBelow } from '../support/contents-below.ts';

const context = databaseUserContext('app');
const secretOf = (text: string) => SecretBuffer.take(Buffer.from(text));
const newMasterKeyBytes = () => Buffer.alloc(32, 9);
const bounds = { signal: new AbortController().signal, timeoutMs: 60_000 };

const opened = (file: string, key: Buffer) => themis.open(key, readFileSync(file), context)?.toString();

/** A keystore of acra-server's own making, and a password sealed by the process. */
async function sealed(t: Test) {
  const parent = temporaryFolder(t);
  const folder = writeKeystore(parent);
  const file = join(parent, 'app.sealed');
  const seal = [{ file, context, plaintext: secretOf('the password') }];
  await changeKeystore({ ...bounds, masterKey: masterKey(), keystore: { kind: 'none' }, seal });
  return { parent, folder, newFolder: join(parent, 'new'), file };
}

t.test('creates a keystore, and seals secrets each for its context', async (t) => {
  const parent = temporaryFolder(t);
  const newFolder = join(parent, 'keystore');
  const plaintext = secretOf('the password');
  const [file, other] = [join(parent, 'app.sealed'), join(parent, 'other.sealed')];
  const seal = [
    { file, context, plaintext },
    { file: other, context: databaseUserContext('other'), plaintext: secretOf('another') },
  ];
  const keystore = { kind: 'create', newFolder, clientIds: [atRest.clientId], poison: true } as const;
  await changeKeystore({ ...bounds, masterKey: masterKey(), keystore, seal });
  const report = await checkKeystore({ folder: newFolder, masterKey: masterKey(), poisonDetection: true });
  t.match(report, { findings: [], clientIds: [atRest.clientId], openedKeys: 5 });
  t.equal(opened(file, masterKeyBytes()), 'the password');
  t.equal(opened(other, masterKeyBytes()), undefined, 'of another user');
  t.equal(opened(file, newMasterKeyBytes()), undefined);
  plaintext.use((bytes) => t.equal(bytes.toString(), 'the password', 'is still the caller’s'));
});

t.test(
  'seals keystore, files and new secrets under another master key, and touches nothing that there is',
  async (t) => {
    const { parent, folder, newFolder, file } = await sealed(t);
    const before = contentsBelow(folder);
    const newFile = join(parent, 'app.new');
    const added = join(parent, 'added');
    const newMasterKey = SecretBuffer.take(newMasterKeyBytes());
    await changeKeystore({
      ...bounds,
      masterKey: masterKey(),
      keystore: { kind: 'rewrap', folder, newFolder, newMasterKey, files: [{ file, newFile, context }] },
      seal: [{ file: added, context, plaintext: secretOf('added') }],
    });
    t.same(contentsBelow(folder), before);
    t.same((await checkKeystore({ folder: newFolder, masterKey: newMasterKey })).findings, []);
    t.equal(opened(newFile, newMasterKeyBytes()), 'the password');
    t.equal(opened(newFile, masterKeyBytes()), undefined);
    t.equal(opened(added, newMasterKeyBytes()), 'added');
    t.equal(opened(file, masterKeyBytes()), 'the password');
  },
);

t.test('gives clients new data keys beside the old ones', async (t) => {
  const { folder, newFolder } = await sealed(t);
  const keystore = { kind: 'rotate', folder, newFolder, clientIds: [atRest.clientId], nowMs: 0 } as const;
  await changeKeystore({ ...bounds, masterKey: masterKey(), keystore, seal: [] });
  const [before, after] = [folder, newFolder].map(contentsBelow);
  const name = `${atRest.clientId}_storage_sym`;
  t.equal(after?.[`${name}.old/1970-01-01T00:00:00`], before?.[name]);
  t.not(after?.[name], before?.[name]);
});

t.test('rejects a keystore that does not open with the key (KEYSTORE_FOREIGN)', async (t) => {
  const { folder, newFolder } = await sealed(t);
  const wrong = masterKeyWithFlippedBit(3);
  const keystore = { kind: 'rewrap', folder, newFolder, newMasterKey: masterKey(), files: [] } as const;
  const changing = () => changeKeystore({ ...bounds, masterKey: wrong, keystore, seal: [] });
  await rejectsCode(changing, KeystoreError, 'KEYSTORE_FOREIGN');
});

t.test('rejects a sealed file that was exchanged for another user’s (KEYSTORE_SEALED_FILE)', async (t) => {
  const { parent, folder, newFolder, file } = await sealed(t);
  const files = [{ file, newFile: join(parent, 'new.sealed'), context: databaseUserContext('other') }];
  const keystore = { kind: 'rewrap', folder, newFolder, newMasterKey: masterKey(), files } as const;
  const changing = () => changeKeystore({ ...bounds, masterKey: masterKey(), keystore, seal: [] });
  await rejectsCode(changing, KeystoreError, 'KEYSTORE_SEALED_FILE');
});

t.test('keeps what lies where a secret would be sealed (KEYSTORE_CHECK_FAILED)', async (t) => {
  const file = join(temporaryFolder(t), 'taken');
  writeFileSync(file, 'of somebody else');
  const seal = [{ file, context, plaintext: secretOf('the password') }];
  const changing = () => changeKeystore({ ...bounds, masterKey: masterKey(), keystore: { kind: 'none' }, seal });
  const error = await rejectsCode(changing, KeystoreError, 'KEYSTORE_CHECK_FAILED');
  t.notMatch(error.message, 'the password');
  t.equal(readFileSync(file, 'utf8'), 'of somebody else');
});

t.test('rejects a master key of another length before a process is started (KEYSTORE_MASTER_KEY_LENGTH)', async () => {
  const short = SecretBuffer.take(Buffer.alloc(31));
  const changing = () => changeKeystore({ ...bounds, masterKey: short, keystore: { kind: 'none' }, seal: [] });
  await rejectsCode(changing, KeystoreError, 'KEYSTORE_MASTER_KEY_LENGTH');
});

t.test('ends with the caller’s reason, and with its time (KEYSTORE_CHECK_TIMEOUT)', async (t) => {
  const options = { masterKey: masterKey(), keystore: { kind: 'none' }, seal: [] } as const;
  const reason = new Error('stopped');
  const aborted = changeKeystore({ ...options, signal: AbortSignal.abort(reason), timeoutMs: 60_000 });
  await t.rejects(aborted, reason);
  const late = () => changeKeystore({ ...options, signal: bounds.signal, timeoutMs: 1 });
  await rejectsCode(late, KeystoreError, 'KEYSTORE_CHECK_TIMEOUT');
});

t.test('forgets the keys that clients had before, of these clients alone', async (t) => {
  const { parent, folder, newFolder } = await sealed(t);
  const clientIds = [atRest.clientId];
  const change = (keystore: Parameters<typeof changeKeystore>[0]['keystore']) =>
    changeKeystore({ ...bounds, masterKey: masterKey(), keystore, seal: [] });
  await change({ kind: 'rotate', folder, newFolder, clientIds, nowMs: 0 });
  const after = join(parent, 'after');
  await change({ kind: 'forget', folder: newFolder, newFolder: after, clientIds, keepsPairs: false });
  const [rotated, forgotten] = [newFolder, after].map(contentsBelow);
  const kept = Object.entries(rotated ?? {}).filter(([path]) => !path.includes('.old/'));
  t.ok(kept.length < Object.keys(rotated ?? {}).length);
  t.same(forgotten, Object.fromEntries(kept));
});
