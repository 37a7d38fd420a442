/** Who has come through TLS to a port, as far as the program behind it is told. */
import type { X509Certificate } from 'node:crypto';
import { clientNameFromCertificate } from '../../acra/client-id.ts';
import { AcraError } from '../../acra/errors.ts';
import { SessionError } from '../../postgres/session-error.ts';
import type { Source } from '../../wire/proxy-protocol.ts';

export interface PortClient {
  /** As the parent says; undefined where it knows none. */
  readonly source: Source | undefined;
  /** Undefined where none is asked for. */
  readonly certificate: ClientCertificate | undefined;
}

export interface ClientCertificate {
  /** As `acra-enclave keys client-name` prints it: RFC 2253. */
  readonly subject: string;
  /** Of the certificate's DER, in hex. */
  readonly sha256: string;
  readonly endsMs: number;
}

/** @throws SessionError 28000 for a subject that cannot be told in one way only */
export function clientCertificateOf(certificate: X509Certificate): ClientCertificate {
  return {
    subject: subjectOf(certificate),
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    endsMs: certificate.validToDate.getTime(),
  };
}

function subjectOf(certificate: X509Certificate): string {
  try {
    return clientNameFromCertificate(certificate.toString(), 'distinguished_name');
  } catch (error) {
    if (!(error instanceof AcraError)) throw error;
    throw new SessionError('28000', error.message);
  }
}
