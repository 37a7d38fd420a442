import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { KeeperError } from '../../../keys/keepers/errors.ts';
import { rawPublicKey } from '../../../keys/keepers/operator-keys.ts';
import {
  type LoadedShare,
  openLoadedShare,
  readLoadedShare,
  sealShareFor,
} from '../../../keys/requests/loaded-share.ts';
import { rejectsCode, throwsCode } from '../../support/coded-error.ts';
import { bytesOf, secretOf } from '../keepers/support/secrets.ts';

const boot = generateKeyPairSync('x25519');
const context = {
  operator: 'alice',
  keySet: 'a'.repeat(64),
  enclave: 'shop',
  commitment: 'b'.repeat(96),
  nonce: 'c'.repeat(64),
};
const SHARE = Buffer.alloc(33, 8);
const sealed = await sealShareFor(rawPublicKey(boot.publicKey), context, secretOf(SHARE));
const fileOf = (content: object) => Buffer.from(JSON.stringify(content));

t.test('arrives as it was sent, in the boot that it was sent to', async (t) => {
  t.same(bytesOf(await openLoadedShare(boot.privateKey, readLoadedShare(fileOf(sealed)))), SHARE);
  const { privateKey } = generateKeyPairSync('x25519');
  await rejectsCode(() => openLoadedShare(privateKey, sealed), KeeperError, 'KEY_SHARE_UNSEALABLE');
});

const CHANGES: Partial<LoadedShare> = {
  operator: 'bob',
  keySet: 'd'.repeat(64),
  enclave: 'other',
  commitment: 'd'.repeat(96),
  nonce: 'd'.repeat(64),
  encapsulated: Buffer.alloc(32, 9).toString('base64'),
  ciphertext: Buffer.alloc(49).toString('base64'),
};
for (const [member, value] of Object.entries(CHANGES)) {
  t.test(`does not open when ${member} was changed (KEY_SHARE_UNSEALABLE)`, async () => {
    await rejectsCode(
      () => openLoadedShare(boot.privateKey, { ...sealed, [member]: value }),
      KeeperError,
      'KEY_SHARE_UNSEALABLE',
    );
  });
}

t.test('rejects what is no loaded share (KEY_SHARE_INVALID)', (t) => {
  const files = [Buffer.from('no JSON'), fileOf({ ...sealed, more: 1 }), fileOf({ ...sealed, version: 2 }), fileOf([])];
  for (const file of files) throwsCode(() => readLoadedShare(file), KeeperError, 'KEY_SHARE_INVALID');
  t.end();
});

t.test('is not sealed to what is no key (KEY_SHARE_UNSEALABLE)', async () => {
  for (const key of [Buffer.alloc(31, 1), Buffer.alloc(32)]) {
    await rejectsCode(() => sealShareFor(key, context, secretOf(SHARE)), KeeperError, 'KEY_SHARE_UNSEALABLE');
  }
});
