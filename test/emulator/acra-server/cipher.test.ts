import t from 'tap';
import { encodeAcraBlock, encodeContainer } from '../../../acra/container.ts';
import { KeystoreError } from '../../../acra/errors.ts';
import { loadThemis } from '../../../acra/keystore/themis.ts';
import { Keyring } from '../../../emulator/acra-server/keyring.ts';
import { atRest, masterKeyWithFlippedBit, writeKeystore } from '../../acra/support/at-rest.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { sqlStateOf } from './support/sql-state.ts';
import { column, vectorCipher, vectorKeyring } from './support/vector-cipher.ts';

t.test('reads every row that acra-server 0.96.0 wrote', async (t) => {
  const cipher = await vectorCipher(t);
  for (const { plaintext, storedBase64 } of atRest.rows) {
    for (const name of ['email', 'secret'] as const) {
      const { bytes, openedCount } = cipher.reveal(Buffer.from(storedBase64[name], 'base64'));
      t.equal(bytes.toString(), plaintext[name]);
      t.equal(openedCount, 1);
    }
    t.equal(cipher.reveal(Buffer.from(storedBase64.blob, 'base64')).bytes.toString('base64'), plaintext.blobBase64);
  }
});

t.test('rejects a master key with one bit flipped (KEYSTORE_FOREIGN)', async (t) => {
  const keystore = writeKeystore(temporaryFolder(t));
  const themis = await loadThemis();
  for (const bit of [0, 77, 255]) {
    await rejectsCode(
      () => Keyring.load(themis, keystore, masterKeyWithFlippedBit(bit)),
      KeystoreError,
      'KEYSTORE_FOREIGN',
    );
  }
});

t.test('leaves what does not open as it is: another client, a flipped bit', async (t) => {
  const [row] = atRest.rows;
  const stored = Buffer.from(row?.storedBase64.secret ?? '', 'base64');
  const foreign = (await vectorCipher(t, { clientId: 'somebody else' })).reveal(stored);
  t.match(foreign, { openedCount: 0, closedCount: 1 });
  t.same(foreign.bytes, stored);
  const cipher = await vectorCipher(t);
  for (const at of [30, 60, stored.length - 1]) {
    const flipped = Buffer.from(stored);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    t.match(cipher.reveal(flipped), { bytes: flipped, openedCount: 0 });
  }
});

t.test('decrypts containers inside other bytes, and keeps a search prefix that is not of the value', async (t) => {
  const cipher = await vectorCipher(t);
  const secret = cipher.encrypt(column('secret'), Buffer.from('one'));
  const email = cipher.encrypt(column('email'), Buffer.from('two'));
  const other = cipher.searchHash(column('email'), Buffer.from('three'));
  const bytes = Buffer.concat([Buffer.from('<%%%'), secret, Buffer.from('|'), email, other, secret, Buffer.from('>')]);
  t.same(cipher.reveal(bytes), {
    bytes: Buffer.concat([Buffer.from('<%%%one|two'), other, Buffer.from('one>')]),
    openedCount: 3,
    closedCount: 0,
  });
});

t.test('encrypts with the keys of the client that owns the column', async (t) => {
  const stranger = await vectorCipher(t, { clientId: 'somebody else' });
  const owned = { ...column('email'), clientId: atRest.clientId };
  const stored = stranger.encrypt(owned, Buffer.from('x'));
  t.equal((await vectorCipher(t)).reveal(stored).bytes.toString(), 'x');
  t.equal(stranger.reveal(stored).openedCount, 0);
});

t.test('rejects a write without a key of the client (58000)', async (t) => {
  const stranger = await vectorCipher(t, { clientId: 'somebody else' });
  t.equal(
    sqlStateOf(() => stranger.encrypt(column('secret'), Buffer.from('x'))),
    '58000',
  );
  t.equal(
    sqlStateOf(() => stranger.searchHash(column('email'), Buffer.from('x'))),
    '58000',
  );
});

t.test('notices a poison record wherever it stands, and only when told to', async (t) => {
  const keyring = await vectorKeyring(t);
  const themis = await loadThemis();
  const [poisonKey = Buffer.alloc(0)] = keyring.keys('poison-symmetric', '');
  const block = encodeAcraBlock(themis, poisonKey, Buffer.from('bait'), seededRandom('poison'));
  const bytes = Buffer.concat([Buffer.from('abc'), encodeContainer('acrablock', block), Buffer.from('def')]);
  let count = 0;
  const watching = await vectorCipher(t, { keyring, onPoisonRecord: () => count++ });
  t.same(watching.reveal(bytes).bytes, bytes);
  watching.reveal(watching.encrypt(column('secret'), Buffer.from('no bait')));
  t.equal(count, 1);
  t.same((await vectorCipher(t, { keyring })).reveal(bytes).bytes, bytes);
});
