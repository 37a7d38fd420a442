import t from 'tap';
import { encodeAcraBlock, encodeContainer } from '../../../acra/container.ts';
import { KeystoreError } from '../../../acra/errors.ts';
import { themis } from '../../../acra/keystore/themis.ts';
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
    const email = Buffer.from(storedBase64.email, 'base64');
    t.same(cipher.reveal(email.subarray(33)), { bytes: Buffer.from(plaintext.email), hasOpened: true });
    t.ok(cipher.isHashOf(email.subarray(0, 33), Buffer.from(plaintext.email)));
    const secret = Buffer.from(storedBase64.secret, 'base64');
    t.same(cipher.reveal(secret), { bytes: Buffer.from(plaintext.secret), hasOpened: true });
    t.equal(cipher.reveal(Buffer.from(storedBase64.blob, 'base64')).bytes.toString('base64'), plaintext.blobBase64);
  }
});

t.test('rejects a master key with one bit flipped (KEYSTORE_FOREIGN)', async (t) => {
  const keystore = writeKeystore(temporaryFolder(t));
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
  t.notOk(foreign.hasOpened);
  t.same(foreign.bytes, stored);
  const cipher = await vectorCipher(t);
  for (const at of [30, 60, stored.length - 1]) {
    const flipped = Buffer.from(stored);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    t.match(cipher.reveal(flipped), { bytes: flipped, hasOpened: false });
  }
});

t.test('decrypts containers inside other bytes, and bare blocks where there is no container', async (t) => {
  const cipher = await vectorCipher(t);
  const secret = cipher.encrypt(column('secret'), Buffer.from('one'));
  const block = secret.subarray(12);
  const joined = (...parts: (string | Buffer)[]) => Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  t.same(cipher.reveal(joined('<%%%', secret, '|', secret, '>')), {
    bytes: Buffer.from('<%%%one|one>'),
    hasOpened: true,
  });
  t.same(cipher.reveal(joined('<', block, '>')), { bytes: Buffer.from('<one>'), hasOpened: true });
  t.same(cipher.reveal(joined(secret, block)), { bytes: joined('one', block), hasOpened: true });
});

t.test('keeps a value that is encrypted already, and hashes what it holds', async (t) => {
  const cipher = await vectorCipher(t);
  const container = cipher.encrypt(column('secret'), Buffer.from('x'));
  for (const value of [container, container.subarray(12)]) {
    t.same(cipher.encrypt(column('secret'), value), value);
    const searchable = cipher.encrypt(column('email'), value);
    t.same(searchable, Buffer.concat([cipher.searchHash(column('email'), Buffer.from('x')), value]));
    t.same(cipher.searchHash(column('email'), value), searchable.subarray(0, 33));
  }
});

t.test(
  'rejects a container for a searchable column that does not open (42000), and an AcraStruct (0A000)',
  async (t) => {
    const cipher = await vectorCipher(t);
    const broken = cipher.encrypt(column('secret'), Buffer.from('x'));
    broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
    const struct = Buffer.concat([Buffer.alloc(8, 0x22), Buffer.alloc(129), Buffer.alloc(8)]);
    const stateOf = (value: Buffer) => [
      sqlStateOf(() => cipher.encrypt(column('email'), value)),
      sqlStateOf(() => cipher.searchHash(column('email'), value)),
    ];
    t.same(stateOf(broken), ['42000', '42000']);
    t.same(stateOf(struct), ['0A000', '0A000']);
  },
);

t.test('encrypts with the keys of the client that owns the column', async (t) => {
  const stranger = await vectorCipher(t, { clientId: 'somebody else' });
  const owned = { ...column('email'), clientId: atRest.clientId };
  const stored = stranger.encrypt(owned, Buffer.from('x'));
  t.equal((await vectorCipher(t)).reveal(stored.subarray(33)).bytes.toString(), 'x');
  t.notOk(stranger.reveal(stored).hasOpened);
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
