import t from 'tap';
import { KeystoreError } from '../../../acra/errors.ts';
import { loadThemis } from '../../../acra/keystore/themis.ts';
import { throwsCode } from '../../support/coded-error.ts';

t.test('leaves no process-wide handlers of the library behind, and keeps those that were there', async (t) => {
  const own = () => undefined;
  process.on('uncaughtException', own);
  t.teardown(() => process.removeListener('uncaughtException', own));
  const before = process.listenerCount('unhandledRejection');
  await loadThemis();
  t.same(
    process.rawListeners('uncaughtException').filter((listener) => listener === own),
    [own],
  );
  t.equal(process.listenerCount('unhandledRejection'), before);
});

t.test('seals and opens under key and context', async (t) => {
  const themis = await loadThemis();
  const key = Buffer.alloc(32, 7);
  const sealed = themis.seal(key, Buffer.from('secret'), 'context');
  t.same(themis.open(key, sealed, 'context'), Buffer.from('secret'));
  t.equal(themis.open(key, sealed, 'other'), undefined);
  t.equal(themis.open(Buffer.alloc(32, 8), sealed, 'context'), undefined);
  t.equal(themis.open(key, Buffer.from('nonsense'), ''), undefined);
  t.equal(themis.open(key, Buffer.alloc(0), ''), undefined);
});

t.test(
  'rejects an empty plaintext, without the library’s source in the error (KEYSTORE_CRYPTO_UNAVAILABLE)',
  async (t) => {
    const themis = await loadThemis();
    const seal = () => themis.seal(Buffer.alloc(32), Buffer.alloc(0), '');
    const error = throwsCode(seal, KeystoreError, 'KEYSTORE_CRYPTO_UNAVAILABLE');
    t.ok(`${error.stack}${(error.cause as Error).stack}`.length < 4000);
  },
);

t.test('tells a key pair from two strangers', async (t) => {
  const themis = await loadThemis();
  const [one, other] = [themis.newKeyPair(), themis.newKeyPair()];
  t.equal(themis.isKeyPair(one.privateKey, one.publicKey), true);
  t.equal(themis.isKeyPair(one.privateKey, other.publicKey), false);
  t.equal(themis.isKeyPair(one.privateKey, Buffer.alloc(45)), false);
});
