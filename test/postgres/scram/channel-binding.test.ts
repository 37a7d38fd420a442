/** tls-server-end-point of certificates that OpenSSL made, held against hashes that Python made. */
import { X509Certificate } from 'node:crypto';
import t from 'tap';
import { tlsServerEndPoint } from '../../../postgres/scram/channel-binding.ts';
import { CERTIFICATES } from './support/certificates.ts';

for (const { name, der, binding } of CERTIFICATES) {
  const what = binding === undefined ? 'has nothing to bind to' : `binds to ${binding.length / 2} bytes`;
  t.test(`${what} for a certificate signed with ${name}`, async (t) => {
    t.equal(tlsServerEndPoint(new X509Certificate(der))?.toString('hex'), binding);
  });
}

t.test('has a certificate of each kind', async (t) => {
  t.same(
    CERTIFICATES.filter(({ binding }) => binding === undefined).map(({ name }) => name),
    ['sha3-256-ecdsa', 'ed25519', 'ed448'],
  );
  t.ok(CERTIFICATES.length > 20);
});
