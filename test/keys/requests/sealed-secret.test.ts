/** Secrets for one boot of one enclave: they open there and nowhere else, as RFC 9180 says and no library of ours. */
import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { canonicalJson } from '../../../encoding/canonical-json.ts';
import { KeyError } from '../../../keys/errors.ts';
import type { SealedSecret } from '../../../keys/requests/key-request.ts';
import { openSealedSecret, type SecretContext, sealSecretFor } from '../../../keys/requests/sealed-secret.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { bytesOf, secretOf } from '../keepers/support/secrets.ts';
import {
  AES_128_GCM,
  AES_256_GCM,
  rawPublic,
  referenceOpen,
  referenceSeal,
  x25519Private,
} from '../support/hpke-reference.ts';

const SEED = 20_261_130;
const boot = generateKeyPairSync('x25519');
const publicKey = rawPublic(boot.publicKey);
const CONTEXT: SecretContext = { enclave: 'shop', commitment: 'ab'.repeat(48), nonce: 'cd'.repeat(32) };
const PASSWORD = Buffer.from('pässword of app');

const bindingOf = ({ enclave, commitment, nonce }: SecretContext, user: string) => ({
  aead: AES_256_GCM,
  info: Buffer.from(canonicalJson({ domain: 'acra-enclave sealed secret v1', enclave, commitment, nonce })),
  associated: Buffer.from(user),
});
const sealed = () => sealSecretFor(publicKey, CONTEXT, 'app', secretOf(PASSWORD));
const decoded = (text: string) => Buffer.from(text, 'base64');

t.test(
  'keeps to RFC 9180, appendix A.1.1: the reference of these tests seals and opens its first message',
  async (t) => {
    const hex = (text: string) => Buffer.from(text, 'hex');
    const ephemeral = hex('52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736');
    const recipient = x25519Private(hex('4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8'));
    const binding = {
      aead: AES_128_GCM,
      info: Buffer.from('Ode on a Grecian Urn'),
      associated: Buffer.from('Count-0'),
    };
    const plaintext = Buffer.from('Beauty is truth, truth beauty');
    const message = referenceSeal(ephemeral, rawPublic(recipient), plaintext, binding);
    t.same(message.encapsulated, hex('37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431'));
    t.same(
      message.ciphertext,
      hex('f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a'),
    );
    t.same(referenceOpen(recipient, message.encapsulated, message.ciphertext, binding), plaintext);
  },
);

t.test('seals what the reference opens, and opens what it seals', async (t) => {
  const { user, encapsulated, ciphertext } = await sealed();
  t.equal(user, 'app');
  const opened = referenceOpen(boot.privateKey, decoded(encapsulated), decoded(ciphertext), bindingOf(CONTEXT, 'app'));
  t.same(opened, PASSWORD);
  const other = referenceSeal(Buffer.alloc(32, 7), publicKey, PASSWORD, bindingOf(CONTEXT, 'app'));
  const secret = {
    user: 'app',
    encapsulated: other.encapsulated.toString('base64'),
    ciphertext: other.ciphertext.toString('base64'),
  };
  using read = await openSealedSecret(boot.privateKey, CONTEXT, secret);
  t.same(bytesOf(read), PASSWORD);
});

t.test('encrypts each secret anew, to a key of its own', async (t) => {
  const [one, other] = [await sealed(), await sealed()];
  t.not(one.encapsulated, other.encapsulated);
  t.not(one.ciphertext, other.ciphertext);
});

const OTHERS: Readonly<Record<string, Partial<SecretContext>>> = {
  'another enclave': { enclave: 'shop2' },
  'another configuration': { commitment: 'ac'.repeat(48) },
  'another request': { nonce: 'ce'.repeat(32) },
};

for (const [what, change] of Object.entries(OTHERS)) {
  t.test(`rejects a secret for ${what} (KEY_SECRET_UNSEALABLE)`, async () => {
    const secret = await sealed();
    const open = () => openSealedSecret(boot.privateKey, { ...CONTEXT, ...change }, secret);
    await rejectsCode(open, KeyError, 'KEY_SECRET_UNSEALABLE');
  });
}

t.test('rejects a secret for another boot, or of another user (KEY_SECRET_UNSEALABLE)', async () => {
  const secret = await sealed();
  const later = generateKeyPairSync('x25519').privateKey;
  await rejectsCode(() => openSealedSecret(later, CONTEXT, secret), KeyError, 'KEY_SECRET_UNSEALABLE');
  const ofOther = { ...secret, user: 'reports' };
  await rejectsCode(() => openSealedSecret(boot.privateKey, CONTEXT, ofOther), KeyError, 'KEY_SECRET_UNSEALABLE');
});

t.test('rejects a secret of which any bit was changed, or any end cut off (KEY_SECRET_UNSEALABLE)', async () => {
  const secret = await sealed();
  const changed = fc
    .tuple(
      fc.constantFrom<'encapsulated' | 'ciphertext'>('encapsulated', 'ciphertext'),
      fc.nat(),
      fc.nat(7),
      fc.boolean(),
    )
    .map(([member, at, bit, isCut]): SealedSecret => {
      const bytes = decoded(secret[member]);
      if (isCut) return { ...secret, [member]: bytes.subarray(0, at % bytes.length).toString('base64') };
      const index = at % bytes.length;
      // X25519 masks the highest bit of a public key (RFC 7748, 5): that one alone changes nothing by itself.
      const mask = member === 'encapsulated' && index === 31 ? 1 << (bit % 7) : 1 << bit;
      bytes[index] = (bytes[index] ?? 0) ^ mask;
      return { ...secret, [member]: bytes.toString('base64') };
    });
  const rejects = fc.asyncProperty(changed, async (each) => {
    await rejectsCode(() => openSealedSecret(boot.privateKey, CONTEXT, each), KeyError, 'KEY_SECRET_UNSEALABLE');
  });
  await fc.assert(rejects, { numRuns: 60, seed: SEED });
});

t.test('rejects the highest bit of the encapsulated key too, which X25519 does not look at', async () => {
  const secret = await sealed();
  const bytes = decoded(secret.encapsulated);
  bytes[31] = (bytes[31] ?? 0) ^ 0x80;
  const changed = { ...secret, encapsulated: bytes.toString('base64') };
  await rejectsCode(() => openSealedSecret(boot.privateKey, CONTEXT, changed), KeyError, 'KEY_SECRET_UNSEALABLE');
});

t.test(
  'rejects to seal to what is no key, or one with which every secret is known (KEY_SECRET_UNSEALABLE)',
  async () => {
    for (const key of [
      Buffer.alloc(0),
      publicKey.subarray(1),
      Buffer.alloc(32),
      Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]),
    ]) {
      await rejectsCode(
        () => sealSecretFor(key, CONTEXT, 'app', secretOf(PASSWORD)),
        KeyError,
        'KEY_SECRET_UNSEALABLE',
      );
    }
  },
);
