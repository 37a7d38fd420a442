/**
 * Certificates of clients that are refused though the CA has signed them (`ingress.revoked` of enclave.yaml): how they are named there,
 * and what a certificate is called so. Serial numbers: RFC 5280 section 4.1.2.2; public keys: its SubjectPublicKeyInfo, section 4.1.2.7.
 */
import type { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { publicKeySha256 } from '../encoding/public-key-hash.ts';

const MAX_REVOKED = 10_000;
const PRINT_IT = '`acra-enclave keys revocation CERTIFICATE` prints it';

const canonicalSerial = (hex: string) => hex.replace(/^0+(?=.)/, '').toUpperCase();

/** At most 20 bytes. */
const serial = z
  .string()
  .regex(/^[0-9A-Fa-f]{1,40}$/, { error: 'must be a serial number in hex: 1 to 40 digits, without colons' })
  .transform(canonicalSerial)
  .describe('of a certificate, whoever issued it');

const key = z
  .string()
  .regex(/^[0-9A-Fa-f]{64}$/, { error: 'must be a SHA-256 in hex: 64 digits, without colons' })
  .transform((hex) => hex.toLowerCase())
  .describe('SHA-256 of its public key (SubjectPublicKeyInfo, DER)');

const entry = z.union([z.strictObject({ serial }), z.strictObject({ key })], {
  error: `must be a serial: or a key:, hex digits in quotes; ${PRINT_IT}`,
});
export type RevokedEntry = z.output<typeof entry>;

export const revokedList = z
  .array(entry)
  .max(MAX_REVOKED, { error: `must have at most ${MAX_REVOKED} entries` })
  .prefault([])
  .describe(`with tls: terminate, certificates that are refused, and those that they have issued; ${PRINT_IT}`);

/** Both names by which the list may call a certificate. */
export function revocationNames(certificate: X509Certificate): { readonly serial: string; readonly key: string } {
  return { serial: canonicalSerial(certificate.serialNumber), key: publicKeySha256(certificate) };
}
