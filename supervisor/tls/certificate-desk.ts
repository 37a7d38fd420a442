/**
 * What the parent may ask and bring for the TLS key of this boot: the request for its certificate, and the certificate. The parent is not
 * trusted with either: the request is public, and a certificate is taken only as keys/tls/accept-certificate.ts says.
 */
import type { CertificateFacts } from '../../acra/certificate/facts.ts';
import { acceptCertificate } from '../../keys/tls/accept-certificate.ts';
import { type Named, requestCertificate, type TlsKeyPair } from '../../keys/tls/attested-key.ts';
import { TlsKeyError } from '../../keys/tls/errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { CertificateEnd } from '../../wire/certificate-end.ts';
import type { ServerCertificate } from './server-certificate.ts';

export interface CertificateDesk {
  /** DER of a PKCS #10 request; the same names and key each time. @throws TlsKeyError TLS_CERTIFICATE_NOT_WANTED */
  request(): Buffer;
  /** @param chainPem the certificate, behind it the CAs between. @throws TlsKeyError TLS_CERTIFICATE_… */
  install(chainPem: Buffer): CertificateEnd;
}

/** Where the certificate lies in the image, or is made in the enclave. */
export const CLOSED_DESK: CertificateDesk = { request: notWanted, install: notWanted };

function notWanted(): never {
  throw new TlsKeyError('TLS_CERTIFICATE_NOT_WANTED', 'this enclave asks nobody for a certificate', {
    allowed: 'tls: {key: attested, certificate: operator-ca}',
  });
}

export interface DeskOptions extends Named {
  readonly key: TlsKeyPair;
  /** Of the measured configuration. */
  readonly authorities: readonly CertificateFacts[];
  readonly shown: ServerCertificate;
  readonly clock: Clock;
}

export function openDesk({ key, authorities, shown, clock, ...named }: DeskOptions): CertificateDesk {
  return {
    request: () => requestCertificate(key, named),
    install(chainPem) {
      const demands = { keySha256: key.sha256, names: named.names, authorities, nowMs: clock.nowMs() };
      return shown.show(acceptCertificate(chainPem, demands).pem);
    },
  };
}
