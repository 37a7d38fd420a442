import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import t from 'tap';
import { KeeperError } from '../../../keys/keepers/errors.ts';
import { rawPublicKey, readDecryptionKey, readEncryptionKey } from '../../../keys/keepers/operator-keys.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { secretOf } from './support/secrets.ts';

const { publicKey, privateKey } = generateKeyPairSync('x25519');
const PASSPHRASE = Buffer.from('long enough');
const publicPem = (key: KeyObject) => Buffer.from(key.export({ type: 'spki', format: 'pem' }));
const privatePem = (key: KeyObject) => Buffer.from(key.export({ type: 'pkcs8', format: 'pem' }));
const encryptedPem = Buffer.from(
  privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSPHRASE }),
);

t.test('reads a pair, the private half encrypted or not', (t) => {
  t.same(readEncryptionKey('alice.pub', publicPem(publicKey)), rawPublicKey(publicKey));
  t.ok(readDecryptionKey('alice.pem', privatePem(privateKey)).equals(privateKey));
  t.ok(readDecryptionKey('alice.pem', encryptedPem, secretOf(PASSPHRASE)).equals(privateKey));
  t.end();
});

const others = {
  'a signing key': generateKeyPairSync('ed25519'),
  X448: generateKeyPairSync('x448'),
};
const damaged = Buffer.from(publicPem(publicKey).toString().replace('MCow', 'MCoA'));
const NOT_PUBLIC: readonly [what: string, pem: Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['the private half', privatePem(privateKey)],
  ['two keys', Buffer.concat([publicPem(publicKey), publicPem(publicKey)])],
  ['a damaged key', damaged],
  ...Object.entries(others).map(([kind, pair]): [string, Buffer] => [kind, publicPem(pair.publicKey)]),
];
for (const [what, pem] of NOT_PUBLIC) {
  t.test(`rejects ${what} as a key to encrypt to (KEY_OPERATOR_KEY_INVALID)`, (t) => {
    throwsCode(() => readEncryptionKey('alice.pub', pem), KeeperError, 'KEY_OPERATOR_KEY_INVALID');
    t.end();
  });
}

t.test('rejects what is no private key of this kind (KEY_OPERATOR_KEY_INVALID)', (t) => {
  for (const pem of [publicPem(publicKey), ...Object.values(others).map((pair) => privatePem(pair.privateKey))]) {
    throwsCode(() => readDecryptionKey('alice.pem', pem), KeeperError, 'KEY_OPERATOR_KEY_INVALID');
  }
  const cut = Buffer.from(privatePem(privateKey).toString().replace('MC4C', 'MC4A'));
  throwsCode(() => readDecryptionKey('alice.pem', cut), KeeperError, 'KEY_OPERATOR_KEY_INVALID');
  t.end();
});

t.test('rejects a passphrase that is wrong, missing or too much (KEY_OPERATOR_KEY_ENCRYPTED)', (t) => {
  const code = 'KEY_OPERATOR_KEY_ENCRYPTED';
  throwsCode(() => readDecryptionKey('a', encryptedPem, secretOf(Buffer.from('another'))), KeeperError, code);
  throwsCode(() => readDecryptionKey('a', encryptedPem), KeeperError, code);
  throwsCode(() => readDecryptionKey('a', privatePem(privateKey), secretOf(PASSPHRASE)), KeeperError, code);
  t.end();
});
