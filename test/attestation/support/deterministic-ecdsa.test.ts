import { createPublicKey, verify } from 'node:crypto';
import t from 'tap';
import { keyFrom, privateKeyOf, signDer, signRaw } from './deterministic-ecdsa.ts';

t.test('signs as RFC 6979 appendix A.2.6 prints it', async (t) => {
  const d = '6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5';
  const key = privateKeyOf('P-384', Buffer.from(d, 'hex'));
  t.equal(
    signRaw('sha384', Buffer.from('sample'), key).toString('hex'),
    '94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46' +
      '99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8',
  );
});

t.test('makes signatures that OpenSSL verifies, the same each time', async (t) => {
  for (const curve of ['P-256', 'P-384'] as const) {
    for (const hash of ['sha256', 'sha384'] as const) {
      for (let i = 0; i < 20; i++) {
        const key = keyFrom(curve, `key ${i}`);
        const message = Buffer.from(`message ${i}`);
        const signature = signDer(hash, message, key);
        t.ok(verify(hash, message, createPublicKey(key), signature));
        t.same(signDer(hash, message, keyFrom(curve, `key ${i}`)), signature);
      }
    }
  }
});
