/** What a key is called wherever one is named: SHA-256 of its SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7). */
import { createHash, type X509Certificate } from 'node:crypto';

type Keyed = Pick<X509Certificate, 'publicKey'>;

/** @returns 32 bytes */
export function publicKeyDigest({ publicKey }: Keyed): Buffer {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest();
}

/** @returns lower-case hex */
export function publicKeySha256(keyed: Keyed): string {
  return publicKeyDigest(keyed).toString('hex');
}
