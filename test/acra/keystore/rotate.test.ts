import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { encodeAcraBlock, encodeContainer, keyId, openAcraBlock } from '../../../acra/container.ts';
import { KeystoreError } from '../../../acra/errors.ts';
import { checkKeystore } from '../../../acra/keystore/check.ts';
import { createKeystore } from '../../../acra/keystore/create.ts';
import { clientKeyIds } from '../../../acra/keystore/key-ids.ts';
import { rotateKeys } from '../../../acra/keystore/rotate.ts';
import { themis } from '../../../acra/keystore/themis.ts';
import type { Random } from '../../../runtime/random.ts';
import { rejectsCode } from '../../support/coded-error.ts';

import { seededRandom } from '../../support/seeded-random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { masterKey, masterKeyBytes, masterKeyWithFlippedBit } from '../support/at-rest.ts';
import { contentsBelow } from '../support/contents-below.ts';

const [FIRST, SECOND] = ['first client', 'second_client'];
const CLIENTS = [FIRST, SECOND];
const NOW_MS = Date.UTC(2026, 10, 30, 12, 0, 5, 120);
const OLD_NAME = '2026-11-30T12:00:05.12';

async function madeKeystore(t: Parameters<typeof temporaryFolder>[0]) {
  const parent = temporaryFolder(t);
  const folder = join(parent, 'keystore');
  await createKeystore({ folder, masterKey: masterKey(), clientIds: CLIENTS, random: seededRandom('keystore') });
  return { parent, folder, newFolder: join(parent, 'rotated') };
}

type Made = Awaited<ReturnType<typeof madeKeystore>>;

function rotate({ folder, newFolder }: Pick<Made, 'folder' | 'newFolder'>, changed: object = {}) {
  const random = seededRandom('rotated');
  const given = { folder, newFolder, masterKey: masterKey(), clientIds: CLIENTS, nowMs: NOW_MS, random };
  return rotateKeys({ ...given, ...changed });
}

function keyIn(folder: string, path: string, context: string): Buffer {
  const key = themis.open(masterKeyBytes(), readFileSync(join(folder, path)), context);
  assert(key, `${path} does not open`);
  return key;
}
const modeOf = (file: string) => (statSync(file).mode & 0o7777).toString(8);

t.test('makes a keystore that is sound, in which every client has new keys and its old ones', async (t) => {
  const made = await madeKeystore(t);
  await rotate(made);
  const report = await checkKeystore({ folder: made.newFolder, masterKey: masterKey(), poisonDetection: true });
  t.same(report.findings, []);
  t.equal(report.openedKeys, 12, 'the eight there were, a symmetric key and a private one for each client');
  for (const id of CLIENTS) {
    for (const suffix of ['_storage_sym', '_storage', '_storage.pub']) {
      const old = readFileSync(join(made.folder, `${id}${suffix}`));
      t.same(readFileSync(join(made.newFolder, `${id}${suffix}.old/${OLD_NAME}`)), old, `${id}${suffix} is kept`);
      t.notSame(readFileSync(join(made.newFolder, `${id}${suffix}`)), old, `${id}${suffix} is new`);
    }
  }
});

t.test('keeps the search keys, the poison keys, and the keystore that it was made of', async (t) => {
  const made = await madeKeystore(t);
  const before = contentsBelow(made.folder);
  await rotate(made);
  t.same(contentsBelow(made.folder), before);
  const after = contentsBelow(made.newFolder);
  for (const [path, content] of Object.entries(before).filter(([name]) => /_hmac$|poison/.test(name)))
    t.equal(after[path], content, path);
});

t.test('opens with the old key what was encrypted with it, and not with the new one', async (t) => {
  const made = await madeKeystore(t);
  const old = keyIn(made.folder, `${FIRST}_storage_sym`, FIRST);
  const block = encodeAcraBlock(themis, old, Buffer.from('plain'), seededRandom('block'));
  t.ok(encodeContainer('acrablock', block));
  await rotate(made);
  const kept = keyIn(made.newFolder, `${FIRST}_storage_sym.old/${OLD_NAME}`, FIRST);
  const fresh = keyIn(made.newFolder, `${FIRST}_storage_sym`, FIRST);
  t.same(openAcraBlock(themis, [fresh, kept], block), Buffer.from('plain'));
  t.throws(() => openAcraBlock(themis, [fresh], block));
});

t.test('leaves clients that are not named as they are', async (t) => {
  const made = await madeKeystore(t);
  const before = contentsBelow(made.folder);
  const ids = await rotate(made, { clientIds: [FIRST, FIRST] });
  t.same(
    ids.map(({ clientId }) => clientId),
    [FIRST],
  );
  const after = contentsBelow(made.newFolder);
  const ofSecond = (files: object) => Object.entries(files).filter(([path]) => path.startsWith(SECOND));
  t.same(ofSecond(after), ofSecond(before));
});

t.test('gives the modes that acra-server wants to new folders, too', async (t) => {
  const made = await madeKeystore(t);
  const before = process.umask(0o077);
  t.teardown(() => process.umask(before));
  await rotate(made);
  t.equal(modeOf(made.newFolder), '700');
  t.equal(modeOf(join(made.newFolder, `${FIRST}_storage.old`)), '700');
  t.equal(modeOf(join(made.newFolder, `${FIRST}_storage.old/${OLD_NAME}`)), '600');
  t.equal(modeOf(join(made.newFolder, `${FIRST}_storage.pub.old/${OLD_NAME}`)), '644');
});

t.test('keeps all keys of several rotations, of the same moment too', async (t) => {
  const made = await madeKeystore(t);
  let folder = made.folder;
  const seen: string[] = [(await clientKeyIds({ folder, masterKey: masterKey() }))[0]?.current ?? ''];
  for (let round = 1; round <= 4; round += 1) {
    const newFolder = join(made.parent, `round-${round}`);
    const [ids] = await rotate({ folder, newFolder }, { random: seededRandom(`round ${round}`) });
    t.same(ids?.old, seen.toSorted());
    seen.push(ids?.current ?? '');
    folder = newFolder;
  }
  t.equal(new Set(seen).size, 5);
  t.same(readdirSync(join(folder, `${FIRST}_storage_sym.old`)), [
    OLD_NAME,
    `${OLD_NAME}0000001`,
    `${OLD_NAME}0000002`,
    `${OLD_NAME}0000003`,
  ]);
  t.same((await checkKeystore({ folder, masterKey: masterKey() })).findings, []);
});

t.test('tells the ids by which stored values name the keys', async (t) => {
  const made = await madeKeystore(t);
  const old = keyId(keyIn(made.folder, `${FIRST}_storage_sym`, FIRST)).toString('hex');
  const [ids] = await rotate(made);
  const current = keyId(keyIn(made.newFolder, `${FIRST}_storage_sym`, FIRST)).toString('hex');
  t.same(ids, { clientId: FIRST, current, old: [old] });
  t.same((await clientKeyIds({ folder: made.newFolder, masterKey: masterKey() }))[0], ids);
  const unknown = await clientKeyIds({ folder: made.newFolder, masterKey: masterKey(), clientIds: ['nobody'] });
  t.same(unknown, [{ clientId: 'nobody', current: undefined, old: [] }]);
});

/** Gives these first, and random ones then. */
function given(...first: readonly Buffer[]): Random {
  const [left, rest] = [[...first], seededRandom('rest')];
  return { bytes: (length) => Buffer.from(left.shift() ?? rest.bytes(length)) };
}

t.test('draws again where another key of the keystore, of any client, has the id', async (t) => {
  const made = await madeKeystore(t);
  const taken = CLIENTS.map((id) => keyIn(made.folder, `${id}_storage_sym`, id));
  const fresh = seededRandom('fresh').bytes(32);
  const [first, second] = await rotate(made, { random: given(...taken, fresh, fresh) });
  t.equal(first?.current, keyId(fresh).toString('hex'));
  t.notOk([first?.current, ...(first?.old ?? []), ...(second?.old ?? [])].includes(second?.current));
});

t.test('gives up when every key that it draws has a known id (KEYSTORE_KEY_IDS), and leaves nothing', async (t) => {
  const made = await madeKeystore(t);
  const same: Random = { bytes: () => keyIn(made.folder, `${FIRST}_storage_sym`, FIRST) };
  await rejectsCode(() => rotate(made, { random: same }), KeystoreError, 'KEYSTORE_KEY_IDS');
  t.same(readdirSync(made.parent), ['keystore']);
});

for (const clientIds of [[], ['nobody'], [FIRST, 'nobody']]) {
  t.test(`refuses the clients ${JSON.stringify(clientIds)} (KEYSTORE_KEY_MISSING), and leaves nothing`, async (t) => {
    const made = await madeKeystore(t);
    await rejectsCode(() => rotate(made, { clientIds }), KeystoreError, 'KEYSTORE_KEY_MISSING');
    t.same(readdirSync(made.parent), ['keystore']);
  });
}

t.test('refuses another master key, a damaged key, and a place that is taken; nothing is left', async (t) => {
  const made = await madeKeystore(t);
  const foreign = { masterKey: masterKeyWithFlippedBit(3) };
  await rejectsCode(() => rotate(made, foreign), KeystoreError, 'KEYSTORE_FOREIGN');
  mkdirSync(made.newFolder);
  await rejectsCode(() => rotate(made), KeystoreError, 'KEYSTORE_EXISTS');
  writeFileSync(join(made.folder, `${SECOND}_hmac`), 'damaged');
  const elsewhere = { newFolder: join(made.parent, 'elsewhere') };
  await rejectsCode(() => rotate(made, elsewhere), KeystoreError, 'KEYSTORE_FILE_DAMAGED');
  t.same(readdirSync(made.parent), ['keystore', 'rotated']);
});
