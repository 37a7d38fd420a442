/**
 * The TLS that clients see. TLS 1.3 unless the measured configuration says otherwise, one protocol (ALPN): `postgresql`, with a certificate of
 * the measured CA from everybody, attestation, without, or what a port of an application speaks. No resumption, which would carry a certificate on that is revoked meanwhile, and no
 * renegotiation.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { constants, type X509Certificate } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { createServer, type SecureContextOptions, type SecureVersion, type Server, type TLSSocket } from 'node:tls';
import { tlsServerEndPoint } from '../../postgres/scram/channel-binding.ts';
import { SessionError } from '../../postgres/session-error.ts';
import { untilAborted } from '../../runtime/abort.ts';
import { errorCode } from '../../runtime/errors.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { Refused } from './refused.ts';
import type { Revoked } from './revoked.ts';

export const ALPN = 'postgresql';

export interface ClientTlsOptions {
  readonly certificatePem: string;
  readonly key: SecretBuffer;
  /** Of clients' certificates; undefined: none is asked for. */
  readonly clientCaPem?: string | undefined;
  readonly minTls: SecureVersion;
  /** Undefined: none is chosen, whatever clients name. */
  readonly protocol?: string | undefined;
}

interface Handshake {
  readonly done: (secured: TLSSocket) => void;
  readonly failed: (error: Error) => void;
}

export class ClientTls {
  readonly #server: Server;
  readonly #contextOptions: SecureContextOptions;
  /** Only tls.Server judges certificates, and its events do not say of which connection: they come in its asynchronous context. */
  readonly #handshake = new AsyncLocalStorage<Handshake>();

  constructor({ certificatePem, key, clientCaPem, minTls, protocol }: ClientTlsOptions) {
    // Node keeps none of it from one context to the next.
    this.#contextOptions = {
      ...(clientCaPem === undefined ? {} : { ca: clientCaPem }),
      minVersion: minTls,
      secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    };
    this.#server = key.use((pem) =>
      createServer({
        ...this.#contextOptions,
        cert: certificatePem,
        key: pem,
        ...(protocol === undefined ? {} : { ALPNProtocols: [protocol] }),
        requestCert: clientCaPem !== undefined,
        // Judged by requireCertificate, so that a client is told in PostgreSQL's words what is wrong with its certificate.
        rejectUnauthorized: false,
      }),
    );
    this.#server.on('secureConnection', (secured) => this.#handshake.getStore()?.done(secured));
    this.#server.on('tlsClientError', (error) => this.#handshake.getStore()?.failed(error));
  }

  /** What clients see from now on. @param key its private key, in PEM */
  show(certificatePem: string, key: SecretBuffer): void {
    key.use((pem) => this.#server.setSecureContext({ ...this.#contextOptions, cert: certificatePem, key: pem }));
  }

  /** @throws SessionError 08P01 for a handshake that fails, with OpenSSL's code; 08006; the signal's reason */
  async accept(socket: Duplex, signal: AbortSignal): Promise<TLSSocket> {
    const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
    promise.catch(() => undefined);
    socket.once('close', () => reject(new SessionError('08006', 'the client went away')));
    const failed = (error: Error) => {
      const reason = errorCode(error) ?? error.message;
      reject(new SessionError('08P01', `the TLS handshake failed (${reason})`));
    };
    this.#handshake.run({ done: resolve, failed }, () => this.#server.emit('connection', socket));
    const secured = await untilAborted(promise, signal);
    return secured.on('error', () => undefined);
  }
}

/** tls-server-end-point of the certificate that this client was shown. */
export function bindingOf(secured: TLSSocket): Buffer | null {
  const shown = secured.getX509Certificate();
  return (shown && tlsServerEndPoint(shown)) ?? null;
}

/** OpenSSL's, as Node names them (X509_V_ERR_…). */
const REASONS: Readonly<Record<string, string>> = {
  UNABLE_TO_GET_ISSUER_CERT: 'its CA is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its CA is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its CA is not known here',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its CA is not known here',
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  INVALID_PURPOSE: 'it is not for clients (extended key usage)',
};

/** The certificate of a client, if it is one of the measured CA, valid now, and not on the measured list. @throws SessionError 28000 */
export function requireCertificate(secured: TLSSocket, revoked: Revoked): X509Certificate {
  const certificate = secured.getPeerX509Certificate();
  if (certificate && revoked.has(secured)) {
    throw new Refused('revoked', '28000', 'the client certificate is revoked');
  }
  if (secured.authorized && certificate) return certificate;
  const code = String(secured.authorizationError ?? 'unknown');
  const reason = certificate ? (REASONS[code] ?? code) : 'none was shown';
  throw new SessionError('28000', `connection requires a valid client certificate: ${reason}`);
}
