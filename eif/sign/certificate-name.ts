/** Names in certificates, which may be empty (RFC 5280, 4.1.2.6); Node then has no text for them, whatever its types say. */
import type { X509Certificate } from 'node:crypto';

/** Subject or issuer, one attribute a line as Node has them: `CN=…`; none for an empty name. */
export function nameLines(certificate: X509Certificate, of: 'subject' | 'issuer'): readonly string[] {
  const text: string | undefined = certificate[of];
  return text?.split('\n') ?? [];
}

/** The subject in one line, for people. */
export function subjectText(certificate: X509Certificate): string {
  return nameLines(certificate, 'subject').join(', ') || '(no name)';
}
