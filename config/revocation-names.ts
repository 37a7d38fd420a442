/**
 * What `ingress.revoked` of enclave.yaml may call a certificate (revoked.ts): its serial number (RFC 5280 section 4.1.2.2) or its
 * public key (SubjectPublicKeyInfo, section 4.1.2.7). Apart from the list's schema, so that the front needs no library for it.
 */
import type { X509Certificate } from 'node:crypto';
import { publicKeySha256 } from '../encoding/public-key-hash.ts';

export const canonicalSerial = (hex: string): string => hex.replace(/^0+(?=.)/, '').toUpperCase();

/** Both names by which the list may call a certificate. */
export function revocationNames(certificate: X509Certificate): { readonly serial: string; readonly key: string } {
  return { serial: canonicalSerial(certificate.serialNumber), key: publicKeySha256(certificate) };
}
