/**
 * Certificates of clients that are refused though the CA has signed them: `ingress.revoked` of enclave.yaml, each by a name that
 * revocation-names.ts gives certificates.
 */
import { z } from 'zod';
import { canonicalSerial } from './revocation-names.ts';

const MAX_REVOKED = 10_000;
const PRINT_IT = '`acra-enclave keys revocation CERTIFICATE` prints it';

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
