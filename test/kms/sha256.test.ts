import { createHash, createHmac } from 'node:crypto';
import t from 'tap';
import { Sha256 } from '../../kms/sha256.ts';

t.test('hashes, and signs with a secret, in pieces of any form', async (t) => {
  const key = Buffer.from('key');
  for (const [own, expected] of [
    [new Sha256(), createHash('sha256')],
    [new Sha256('key'), createHmac('sha256', key)],
    [new Sha256(new Uint8Array(key)), createHmac('sha256', key)],
  ] as const) {
    own.update('ä');
    own.update(new Uint8Array([1, 2]).subarray(1));
    own.update(new Uint8Array([3]).buffer);
    expected.update('ä').update(Buffer.from([2, 3]));
    t.same(Buffer.from(await own.digest()), expected.digest());
  }
});

t.test('begins anew with the same secret', async (t) => {
  const own = new Sha256('key');
  own.update('forgotten');
  own.reset();
  own.update('kept');
  t.same(Buffer.from(await own.digest()), createHmac('sha256', 'key').update('kept').digest());
});
