/**
 * When the certificates of an enclave end, as the enclave itself, its image's metadata and the parent's doctor tell it. Public
 * knowledge: all of them are shown in handshakes.
 */
import { z } from 'zod';

export const CERTIFICATE_ROLES = ['server', 'server-ca', 'client-ca', 'database-ca', 'tokens-ca', 'kms-ca'] as const;
export type CertificateRole = (typeof CERTIFICATE_ROLES)[number];

const MAX_SUBJECT_LENGTH = 500;

export const certificateEndSchema = z.strictObject({
  certificate: z.enum(CERTIFICATE_ROLES),
  subject: z.string().max(MAX_SUBJECT_LENGTH),
  /** Milliseconds since the epoch. */
  endsMs: z.int(),
});
export type CertificateEnd = z.output<typeof certificateEndSchema>;

const DAY_MS = 86_400_000;
const WARN_DAYS = 30;

/** `ending`: within 30 days. */
export function lifeOf({ endsMs }: Pick<CertificateEnd, 'endsMs'>, nowMs: number): 'valid' | 'ending' | 'expired' {
  if (endsMs < nowMs) return 'expired';
  return endsMs < nowMs + WARN_DAYS * DAY_MS ? 'ending' : 'valid';
}

/** `server certificate CN=…: ends 2027-01-31T00:00:00.000Z` */
export function describeEnd({ certificate, subject, endsMs }: CertificateEnd, nowMs: number): string {
  const verb = endsMs < nowMs ? 'ended' : 'ends';
  return `${certificate} (${subject}) ${verb} ${new Date(endsMs).toISOString()}`;
}

export const shortSubject = (subject: string): string => subject.slice(0, MAX_SUBJECT_LENGTH);
