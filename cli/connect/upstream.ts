/**
 * TLS to the enclave's public port for a session, at once (ALPN), to the pinned key or to nobody. Certificates mean nothing to us; the
 * attestation document names the key. TLS 1.3 only, no resumption: every connection proves that its server has the key (RFC 8446, 4.4.3).
 *
 * Whoever shows another key is not even told who asks. Node judges a server when the handshake is over, and the client's certificate has
 * gone by then. OpenSSL asks for the server's OCSP response, or tells that there is none, between the server's Finished and the client's
 * certificate: there the key is compared, and the connection cut. Were that moment to be left out, the comparison at the end remains.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { publicKeyDigest } from '../../encoding/public-key-hash.ts';
import { untilAborted } from '../../runtime/abort.ts';
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
    // OpenSSL takes a key of another kind beside the certificate, and would then show neither.
    if (new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
      return createSecureContext({ cert: certificate, key, minVersion: 'TLSv1.3' });
  } catch {
    // OpenSSL's words could quote what is secret.
  }
  throw new ConnectError(
    'CONNECT_CREDENTIALS',
    'the client’s certificate and key do not belong together, or are no PEM',
  );
}

export type Dialled =
  /** Half-open: either side may end first. */
  | { readonly kind: 'pinned'; readonly socket: TLSSocket }
  /** Cut off. `keySha256`: of the SubjectPublicKeyInfo (DER) that the server showed, 32 bytes. */
  | { readonly kind: 'other-key'; readonly keySha256: Buffer };

export class Upstream {
  readonly #address: TcpEndpoint;
  readonly #credentials: SecureContext;

  constructor(address: TcpEndpoint, credentials: SecureContext) {
    this.#address = address;
    this.#credentials = credentials;
  }

  /**
   * @param keySha256 of the only key to which the client shows its certificate
   * @throws ConnectError CONNECT_UNREACHABLE; the signal's reason
   */
  async dial(keySha256: Buffer, signal: AbortSignal): Promise<Dialled> {
    const tcp = connectTcp({ ...this.#address, allowHalfOpen: true }).on('error', () => undefined);
    try {
      await once(tcp, 'connect', { signal });
      return await untilAborted(this.#secure(tcp, keySha256), signal);
    } catch (error) {
      tcp.destroy();
      if (signal.aborted) throw signal.reason;
      throw error instanceof ConnectError ? error : this.#unreachable(error);
    }
  }

  #secure(tcp: Socket, pinned: Buffer): Promise<Dialled> {
    const { host } = this.#address;
    const { promise, resolve, reject } = Promise.withResolvers<Dialled>();
    const socket = connectTls({
      socket: tcp,
      secureContext: this.#credentials,
      ALPNProtocols: [ALPN],
      ...(isIP(host) === 0 && { servername: host }),
      // The key is compared with the attested one; a certificate would say less.
      rejectUnauthorized: false,
      requestOCSP: true,
    });
    const judge = (): boolean => {
      const certificate = socket.getPeerX509Certificate();
      if (certificate === undefined) throw this.#unreachable();
      const keySha256 = publicKeyDigest(certificate);
      if (keySha256.equals(pinned)) return true;
      tcp.destroy();
      resolve({ kind: 'other-key', keySha256 });
      return false;
    };
    const orReject = (step: () => void) => () => {
      try {
        step();
      } catch (error) {
        tcp.destroy();
        reject(error);
      }
    };
    socket.once('OCSPResponse', orReject(judge));
    socket.once(
      'secureConnect',
      orReject(() => {
        if (!judge()) return;
        if (socket.alpnProtocol !== ALPN) throw this.#unreachable();
        resolve({ kind: 'pinned', socket });
      }),
    );
    socket.on('error', reject);
    return promise;
  }

  #unreachable(cause?: unknown): ConnectError {
    const { host, port } = this.#address;
    const message = `no TLS 1.3 connection to ${host}:${port} with the protocol ${ALPN}`;
    return new ConnectError('CONNECT_UNREACHABLE', message, { cause });
  }
}
