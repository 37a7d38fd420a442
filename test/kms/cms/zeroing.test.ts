import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import t from 'tap';
import { CmsError } from '../../../kms/errors.ts';
import { berEnvelope, contentOf, kmsParts } from '../../attestation/support/envelope.ts';
import { throwsCode } from '../../support/coded-error.ts';

/** Every Buffer that decryption hands out; watched from before the module under test is loaded. */
const handedOut: Buffer[] = [];
function watch<Args extends unknown[]>(call: (...args: Args) => Buffer) {
  return (...args: Args) => {
    const buffer = call(...args);
    handedOut.push(buffer);
    return buffer;
  };
}

const { createDecipheriv } = crypto;
Object.assign(crypto, {
  privateDecrypt: watch(crypto.privateDecrypt),
  createDecipheriv: (...args: Parameters<typeof createDecipheriv>) => {
    const decipher = createDecipheriv(...args);
    const update = decipher.update.bind(decipher) as (data: Buffer) => Buffer;
    const final = decipher.final.bind(decipher) as () => Buffer;
    return Object.assign(decipher, { update: watch(update), final: watch(final) });
  },
});
syncBuiltinESMExports();
const { openEnvelopedData } = await import('../../../kms/cms/enveloped-data.ts');

const { publicKey, privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
const plaintext = Buffer.from('a secret of more than one block');
const parts = kmsParts({ publicKey, plaintext });

t.beforeEach(() => {
  handedOut.length = 0;
});

t.test('zeroes the content key and every copy of the secret but the one it returns', (t) => {
  using secret = openEnvelopedData(berEnvelope(parts), privateKey);
  t.equal(handedOut.length, 3, 'content key, blocks, last block');
  for (const buffer of handedOut) t.ok(buffer.every((byte) => byte === 0));
  t.same(
    secret.use((bytes) => Buffer.from(bytes)),
    plaintext,
  );
  t.end();
});

t.test('zeroes them also when the padding is wrong (CMS_DECRYPT_FAILED)', (t) => {
  const content = contentOf(Buffer.alloc(48, 0x11));
  throwsCode(() => openEnvelopedData(berEnvelope({ ...parts, content }), privateKey), CmsError, 'CMS_DECRYPT_FAILED');
  t.equal(handedOut.length, 2, 'content key, blocks');
  for (const buffer of handedOut) t.ok(buffer.every((byte) => byte === 0));
  t.end();
});
