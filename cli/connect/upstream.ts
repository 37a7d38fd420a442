/**
 * TLS to the enclave's public port for a session, at once (ALPN): which key is at its other end is told, and judged by nobody here.
 * Certificates mean nothing to us; the attestation document names the key. TLS 1.3 only, no resumption: every connection proves that
 * its server has the key (RFC 8446, 4.4.3).
 */
import { once } from 'node:events';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { publicKeySha256 } from '../../encoding/public-key-hash.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { ConnectError } from './errors.ts';

const ALPN = 'postgresql';

/** PEM. */
export interface ClientCredentials {
  readonly certificate: Buffer;
  readonly key: Buffer;
}

/** Made once, so that the key need not be kept. @throws ConnectError CONNECT_CREDENTIALS */
export function toSecureContext({ certificate, key }: ClientCredentials): SecureContext {
  try {
    return createSecureContext({ cert: certificate, key, minVersion: 'TLSv1.3' });
  } catch {
    // OpenSSL's words could quote what is secret.
    throw new ConnectError(
      'CONNECT_CREDENTIALS',
      'the client’s certificate and key do not belong together, or are no PEM',
    );
  }
}

export interface Dialled {
  /** Half-open: either side may end first. */
  readonly socket: TLSSocket;
  /** SHA-256 of the SubjectPublicKeyInfo (DER) of the server's key, 32 bytes. */
  readonly keySha256: Buffer;
}

export class Upstream {
  readonly #address: TcpEndpoint;
  readonly #credentials: SecureContext;

  constructor(address: TcpEndpoint, credentials: SecureContext) {
    this.#address = address;
    this.#credentials = credentials;
  }

  /** @throws ConnectError CONNECT_UNREACHABLE; the signal's reason */
  async dial(signal: AbortSignal): Promise<Dialled> {
    const tcp = connectTcp({ ...this.#address, allowHalfOpen: true }).on('error', () => undefined);
    try {
      await once(tcp, 'connect', { signal });
      const socket = this.#secure(tcp);
      await once(socket, 'secureConnect', { signal });
      return { socket, keySha256: this.#keyOf(socket) };
    } catch (error) {
      tcp.destroy();
      if (signal.aborted) throw signal.reason;
      throw error instanceof ConnectError ? error : this.#unreachable(error);
    }
  }

  #secure(socket: Socket): TLSSocket {
    const { host } = this.#address;
    const secured = connectTls({
      socket,
      secureContext: this.#credentials,
      ALPNProtocols: [ALPN],
      ...(isIP(host) === 0 && { servername: host }),
      // The key is compared with the attested one; a certificate would say less.
      rejectUnauthorized: false,
    });
    return secured.on('error', () => undefined);
  }

  #keyOf(socket: TLSSocket): Buffer {
    const certificate = socket.getPeerX509Certificate();
    if (socket.alpnProtocol !== ALPN || certificate === undefined) throw this.#unreachable();
    return Buffer.from(publicKeySha256(certificate), 'hex');
  }

  #unreachable(cause?: unknown): ConnectError {
    const { host, port } = this.#address;
    const message = `no TLS 1.3 connection to ${host}:${port} with the protocol ${ALPN}`;
    return new ConnectError('CONNECT_UNREACHABLE', message, { cause });
  }
}
