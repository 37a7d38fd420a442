/**
 * What the parent may ask and bring for the TLS key of this boot: the request for its certificate, and the certificate. The parent is not
 * trusted with either: the request is public, and a certificate is taken only as keys/tls/accept-certificate.ts says.
 */
import { createSecureContext } from 'node:tls';
import type { CertificateFacts } from '../../acra/certificate/facts.ts';
import { acceptCertificate } from '../../keys/tls/accept-certificate.ts';
import { type Named, requestCertificate, type TlsKeyPair } from '../../keys/tls/attested-key.ts';
import { TlsKeyError } from '../../keys/tls/errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorCode } from '../../runtime/errors.ts';
import { TokenBucket } from '../../runtime/token-bucket.ts';
import type { CertificateEnd } from '../../wire/certificate-end.ts';
import { RequestError } from '../../wire/requests/errors.ts';
import type { RotatableTlsKey } from './rotatable-key.ts';
import type { ServerCertificate } from './server-certificate.ts';

interface CertificateRequest {
  /** DER of a PKCS #10 request. */
  readonly request: Buffer;
  /** Whose it is. */
  readonly keySha256: Buffer;
}

export interface CertificateDesk {
  /** For the key that awaits a certificate, else for the one that is shown; the same each time. @throws TlsKeyError TLS_CERTIFICATE_NOT_WANTED */
  request(): CertificateRequest;
  /**
   * @param chainPem the certificate, behind it the CAs between
   * @throws TlsKeyError TLS_CERTIFICATE_…; RequestError REQUEST_RATE_LIMITED
   */
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
  readonly key: RotatableTlsKey;
  /** Of the measured configuration. */
  readonly authorities: readonly CertificateFacts[];
  readonly shown: ServerCertificate;
  readonly clock: Clock;
}

/** An operator brings one in days. Each is judged, and told to the front, on the thread that renews the lease. */
const INSTALLS = { burst: 10, perSecond: 1 };

export function openDesk({ key, authorities, shown, clock, ...named }: DeskOptions): CertificateDesk {
  const rate = new TokenBucket(INSTALLS, clock);
  let made: CertificateRequest | undefined;
  const accept = (chainPem: Buffer, [wanted, ...others]: RotatableTlsKey['candidates']): Accepted => {
    const demands = { keySha256: wanted.sha256, names: named.names, authorities, nowMs: clock.nowMs() };
    const [other] = others;
    try {
      return { pair: wanted, pem: acceptCertificate(chainPem, demands).pem };
    } catch (error) {
      if (!other || errorCode(error) !== 'TLS_CERTIFICATE_OTHER_KEY') throw error;
      return accept(chainPem, [other]);
    }
  };
  return {
    request() {
      const [wanted] = key.candidates;
      if (made?.keySha256 !== wanted.sha256) {
        made = { request: requestCertificate(wanted, named), keySha256: wanted.sha256 };
      }
      return made;
    },
    install(chainPem) {
      if (!rate.take()) {
        const allowed = `${INSTALLS.perSecond} a second, ${INSTALLS.burst} at once`;
        throw new RequestError('REQUEST_RATE_LIMITED', 'too many certificates were brought', { allowed });
      }
      const { pair, pem } = accept(chainPem, key.candidates);
      requireServable(pair, pem);
      return key.takeOver(pair, () => shown.show(pem));
    },
  };
}

interface Accepted {
  readonly pair: TlsKeyPair;
  readonly pem: string;
}

/** OpenSSL, by which the front serves, has rules of its own for CAs that are sent along, and would end the front. */
function requireServable({ privateKey }: TlsKeyPair, cert: string): void {
  try {
    privateKey.use((pem) => createSecureContext({ cert, key: pem }));
  } catch (cause) {
    throw new TlsKeyError('TLS_CERTIFICATE_INVALID', 'TLS cannot be served with it', { cause });
  }
}
