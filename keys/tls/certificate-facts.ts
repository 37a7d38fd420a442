/** How a certificate and its key are named to people and noted in files. */
import type { CertificateFacts } from '../../acra/certificate/facts.ts';

/** Subject on one line; the serial number of a certificate without. */
export function nameOf({ x509 }: Pick<CertificateFacts, 'x509'>): string {
  const subject = (x509.subject ?? '').split('\n').reverse().join(', ');
  return subject === '' ? `serial number ${x509.serialNumber}` : subject;
}
