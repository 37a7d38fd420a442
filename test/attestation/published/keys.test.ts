/** Keys that sign measurements: which are taken, and what each other file is called. */
import { createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { MeasurementsError, type MeasurementsErrorCode } from '../../../attestation/published/errors.ts';
import { readSigningKey, readVerifyingKey, requireDistinct } from '../../../attestation/published/keys.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { makeSigner, pem, publicKeyOf } from './support/published.ts';

const KINDS = ['ed25519', 'prime256v1', 'secp384r1'] as const;
const passphrase = (text = 'correct horse') => SecretBuffer.take(Buffer.from(text));
const p256 = makeSigner('p256', 'prime256v1');
const encrypted = Buffer.from(
  createPrivateKey(p256.privatePem).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'correct horse',
  }),
);
const sec1 = Buffer.from(createPrivateKey(p256.privatePem).export({ type: 'sec1', format: 'pem' }));
const oldForm = Buffer.from(
  createPrivateKey(p256.privatePem).export({
    type: 'sec1',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'correct horse',
  }),
);

for (const kind of KINDS) {
  t.test(`names a key on ${kind} by the SHA-256 of its SubjectPublicKeyInfo, whichever half is read`, async (t) => {
    const signer = makeSigner('signer', kind);
    const der = Buffer.from(signer.publicPem.toString().replace(/-----[^-]+-----|\n/g, ''), 'base64');
    t.equal(signer.key.keyId, createHash('sha256').update(der).digest('hex'));
    t.equal(publicKeyOf(signer).keyId, signer.key.keyId);
  });
}

t.test('reads SEC 1, with the curve in front as openssl writes it, and PKCS #8 with a passphrase', async (t) => {
  const parameters = Buffer.from('-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n');
  t.equal(readSigningKey('sec1', sec1).keyId, p256.key.keyId);
  t.equal(readSigningKey('sec1', Buffer.concat([parameters, sec1])).keyId, p256.key.keyId);
  t.equal(readSigningKey('encrypted', encrypted, passphrase()).keyId, p256.key.keyId);
});

const p521 = generateKeyPairSync('ec', { namedCurve: 'secp521r1' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const x25519 = generateKeyPairSync('x25519');
/** The same point, compressed: what OpenSSL reads as the same key. */
function compressed(): Buffer {
  const { x = '', y = '' } = p256.key.key.export({ format: 'jwk' });
  const isOdd = ((Buffer.from(y, 'base64url').at(-1) ?? 0) & 1) === 1;
  const head = Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex');
  const der = Buffer.concat([head, Buffer.from([isOdd ? 3 : 2]), Buffer.from(x, 'base64url')]);
  return Buffer.from(`-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`);
}

interface Refusal {
  readonly what: string;
  readonly code: MeasurementsErrorCode;
  readonly read: () => unknown;
}

const REFUSALS: readonly Refusal[] = [
  ...Object.entries({ 'P-521': p521, RSA: rsa, X25519: x25519 }).flatMap(([kind, pair]): Refusal[] => [
    {
      what: `a public key of ${kind}`,
      code: 'MEASUREMENTS_KEY_ALGORITHM',
      read: () => readVerifyingKey('k', pem(pair.publicKey)),
    },
    {
      what: `a private key of ${kind}`,
      code: 'MEASUREMENTS_KEY_ALGORITHM',
      read: () => readSigningKey('k', pem(pair.privateKey)),
    },
  ]),
  {
    what: 'a private key for a public one',
    code: 'MEASUREMENTS_KEY_INVALID',
    read: () => readVerifyingKey('k', p256.privatePem),
  },
  {
    what: 'a public key for a private one',
    code: 'MEASUREMENTS_KEY_INVALID',
    read: () => readSigningKey('k', p256.publicPem),
  },
  {
    what: 'two public keys in one file',
    code: 'MEASUREMENTS_KEY_INVALID',
    read: () => readVerifyingKey('k', Buffer.concat([p256.publicPem, makeSigner('other', 'ed25519').publicPem])),
  },
  { what: 'an empty file', code: 'MEASUREMENTS_KEY_INVALID', read: () => readVerifyingKey('k', Buffer.alloc(0)) },
  {
    what: 'another form of the same point',
    code: 'MEASUREMENTS_KEY_INVALID',
    read: () => readVerifyingKey('k', compressed()),
  },
  {
    what: 'an encrypted key without a passphrase',
    code: 'MEASUREMENTS_KEY_ENCRYPTED',
    read: () => readSigningKey('k', encrypted),
  },
  {
    what: 'a wrong passphrase',
    code: 'MEASUREMENTS_KEY_ENCRYPTED',
    read: () => readSigningKey('k', encrypted, passphrase('wrong')),
  },
  {
    what: 'a passphrase for a key that is not encrypted',
    code: 'MEASUREMENTS_KEY_ENCRYPTED',
    read: () => readSigningKey('k', p256.privatePem, passphrase()),
  },
  {
    what: 'a key that is encrypted by headers',
    code: 'MEASUREMENTS_KEY_ENCRYPTED',
    read: () => readSigningKey('k', oldForm, passphrase()),
  },
  {
    what: 'the same key twice, under two names',
    code: 'MEASUREMENTS_KEY_TWICE',
    read: () =>
      requireDistinct([readVerifyingKey('provider', p256.publicPem), readVerifyingKey('auditor', p256.publicPem)]),
  },
];

for (const { what, code, read } of REFUSALS) {
  t.test(`rejects ${what} (${code})`, async () => {
    throwsCode(read, MeasurementsError, code);
  });
}
