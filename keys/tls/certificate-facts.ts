/** How a certificate and its key are named to people and noted in files. */
import type { X509Certificate } from 'node:crypto';
import { createHash } from 'node:crypto';
import type { CertificateFacts } from '../../acra/certificate/facts.ts';

/** Subject on one line; the serial number of a certificate without. */
export function nameOf({ x509 }: Pick<CertificateFacts, 'x509'>): string {
  const subject = (x509.subject ?? '').split('\n').reverse().join(', ');
  return subject === '' ? `serial number ${x509.serialNumber}` : subject;
}

/** SHA-256 of SubjectPublicKeyInfo, in hex. */
export function publicKeySha256({ publicKey }: X509Certificate): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}
