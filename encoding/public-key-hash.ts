/** What a key is called wherever one is named: SHA-256 of its SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7). */
import { createHash, type X509Certificate } from 'node:crypto';

/** @returns lower-case hex */
export function publicKeySha256({ publicKey }: Pick<X509Certificate, 'publicKey'>): string {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex');
}
