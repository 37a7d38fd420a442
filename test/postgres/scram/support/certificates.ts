/** Certificates of every signature algorithm that matters to a binding. See test/vectors/scram/PROVENANCE.md. */
import vectors from '../../../vectors/scram/certificates.json' with { type: 'json' };

interface BoundCertificate {
  readonly name: string;
  readonly der: Buffer;
  /** Hexadecimal; undefined where it is not defined. */
  readonly binding: string | undefined;
}

interface DatabaseCertificate {
  readonly name: string;
  readonly certPem: string;
  readonly keyPem: string;
}

export const CERTIFICATES: readonly BoundCertificate[] = vectors.certificates.map(({ name, certificate, binding }) => ({
  name,
  der: Buffer.from(certificate, 'base64'),
  binding: binding ?? undefined,
}));

export const DATABASE_CERTIFICATES: readonly DatabaseCertificate[] = vectors.databases;
