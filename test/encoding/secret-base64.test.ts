import fc from 'fast-check';
import t from 'tap';
import { encodeSecretBase64 } from '../../encoding/secret-base64.ts';

t.test('encodes as Node does, whatever the bytes', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      const secret = Buffer.from(bytes);
      t.equal(encodeSecretBase64(secret).toString('latin1'), secret.toString('base64'));
    }),
    { seed: 1, numRuns: 300 },
  );
  t.end();
});

t.test('gives a Buffer outside the pool, of which zeroing leaves nothing', (t) => {
  const text = encodeSecretBase64(Buffer.from('secret'));
  t.equal(text.buffer.byteLength, text.length);
  t.end();
});
