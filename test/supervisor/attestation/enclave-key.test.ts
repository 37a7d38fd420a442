import { createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { createEnclaveKey } from '../../../supervisor/attestation/enclave-key.ts';

/** RFC 8410: SubjectPublicKeyInfo of X25519 up to the 32 bytes of the key. */
const SPKI_HEADER = Buffer.from('302a300506032b656e032100', 'hex');

t.test('gives the 32 bytes with which others agree on a secret with the enclave', async (t) => {
  const { publicKey, privateKey } = createEnclaveKey();
  t.equal(publicKey.length, 32);
  const theirs = generateKeyPairSync('x25519');
  const read = createPublicKey({ key: Buffer.concat([SPKI_HEADER, publicKey]), format: 'der', type: 'spki' });
  t.same(
    diffieHellman({ privateKey: theirs.privateKey, publicKey: read }),
    diffieHellman({ privateKey, publicKey: theirs.publicKey }),
  );
});

t.test('is another at every boot', async (t) => {
  t.notSame(createEnclaveKey().publicKey, createEnclaveKey().publicKey);
});
