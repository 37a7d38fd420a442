/**
 * TLS to KMS over a relay: the bytes go to the dial address, the certificate must be that of the endpoint's host name.
 * Nothing from the environment widens the trust: the CAs are those of the connection, or the ones compiled into Node.
 */
import { X509Certificate } from 'node:crypto';
import { Agent } from 'node:https';
import { isIP } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import { checkServerIdentity, connect, createSecureContext, rootCertificates } from 'node:tls';
import type { KmsConnection, KmsDialAddress } from './connection.ts';
import { KmsError } from './errors.ts';

/** An empty CA text would make Node fall back to its own roots; it and anything else that is no certificate is refused. */
function checkedCa(caPem: string | undefined): string | readonly string[] {
  if (caPem === undefined) return rootCertificates;
  try {
    new X509Certificate(caPem);
    return caPem;
  } catch (cause) {
    throw new KmsError('KMS_CA_INVALID', 'the CA for KMS is not a PEM certificate', { cause });
  }
}

/** The host name that the certificate must bear, without the brackets of an IPv6 address. */
function checkedHostname(endpoint: URL): string {
  if (endpoint.protocol === 'https:' && endpoint.username === '' && endpoint.password === '') {
    return endpoint.hostname.replace(/^\[|\]$/g, '');
  }
  throw new KmsError('KMS_ENDPOINT_INVALID', 'the KMS endpoint is not an https:// address', {
    found: endpoint.protocol,
    allowed: 'https://host[:port]',
  });
}

interface ConnectionReuse {
  readonly maxSockets: number;
  /** An unused connection is closed then. */
  readonly idleMs: number;
}

export class KmsTlsAgent extends Agent {
  readonly #dial: KmsDialAddress;
  readonly #hostname: string;
  readonly #context: SecureContext;
  readonly #untrusted = new WeakSet<Error>();

  /**
   * @param reuse keeps connections for further requests, so many at most; without it each request has its own
   * @throws KmsError KMS_ENDPOINT_INVALID, KMS_CA_INVALID
   */
  constructor(connection: Pick<KmsConnection, 'endpoint' | 'caPem' | 'dial'>, reuse?: ConnectionReuse) {
    super(
      reuse === undefined
        ? { keepAlive: false, maxCachedSessions: 0 }
        : { keepAlive: true, maxCachedSessions: 0, maxSockets: reuse.maxSockets, timeout: reuse.idleMs },
    );
    this.#dial = connection.dial;
    this.#hostname = checkedHostname(connection.endpoint);
    this.#context = createSecureContext({ ca: [checkedCa(connection.caPem)].flat(), minVersion: 'TLSv1.2' });
  }

  override createConnection(): TLSSocket {
    const socket = connect({
      ...this.#dial,
      secureContext: this.#context,
      rejectUnauthorized: true,
      ALPNProtocols: ['http/1.1'],
      ...(isIP(this.#hostname) === 0 && { servername: this.#hostname }),
      checkServerIdentity: (_, certificate) => checkServerIdentity(this.#hostname, certificate),
    });
    socket.once('error', (error) => {
      if (socket.authorizationError) this.#untrusted.add(error);
    });
    return socket;
  }

  /** Whether this error of a connection was the refusal of the server's certificate. */
  isUntrusted(error: unknown): boolean {
    return error instanceof Error && this.#untrusted.has(error);
  }
}
