/**
 * A TLS connection to a server that nobody vouches for yet: no name and no chain is checked, because the attestation document is to say
 * whether the key is right. What is kept of it is the key, and the certificates that the server showed.
 * Specification: PostgreSQL 18, "SSL Session Encryption" (SSLRequest, and TLS at once by ALPN).
 */
import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { publicKeyDigest } from '../../encoding/public-key-hash.ts';
import { checkTlsAnswer, SSL_REQUEST } from '../../postgres/start-up.ts';
import { untilAborted } from '../../runtime/abort.ts';
import { errorCode } from '../../runtime/errors.ts';
import { CliError } from '../errors.ts';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

export interface ShownTls {
  /** SHA-256 of the SubjectPublicKeyInfo, 32 bytes. */
  readonly keySha256: Buffer;
  /** The server's own first; as many as it sent. */
  readonly certificates: readonly X509Certificate[];
}

/** More than any server needs; a hostile one may send a ring. */
const MAX_CERTIFICATES = 10;
const POSTGRES_ALPN = 'postgresql';
const ATTESTING = 'a port on which TLS ends in the enclave';
const OF_APPLICATIONS = 'PostgreSQL’s port; ask on the port of an application by --connect';

/** What OpenSSL says where something answers that is no TLS, or none with this protocol. */
const REFUSALS: ReadonlyMap<string | undefined, string> = new Map([
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'does not speak TLS'],
  ['ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL', 'refuses the protocol'],
]);

function unreachable({ host, port }: ServerAddress, cause: unknown): CliError {
  if (cause instanceof CliError) return cause;
  const refusal = REFUSALS.get(errorCode(cause));
  if (refusal !== undefined)
    return new CliError('CLI_ATTESTATION_REFUSED', `${host}:${port} ${refusal}`, { allowed: ATTESTING });
  return new CliError('CLI_ATTESTATION_UNREACHABLE', `cannot reach ${host}:${port}`, { cause });
}

function chainOf(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  while (next !== undefined && chain.length < MAX_CERTIFICATES) {
    const { raw } = next;
    if (chain.some((certificate) => certificate.raw.equals(raw))) break;
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}

/** @throws CliError CLI_ATTESTATION_ANSWER */
export function shownBy(socket: TLSSocket): ShownTls {
  const certificates = chainOf(socket);
  const [own] = certificates;
  if (own === undefined) throw new CliError('CLI_ATTESTATION_ANSWER', 'the server shows no certificate');
  return { keySha256: publicKeyDigest(own), certificates };
}

/** Dials TCP; the socket is destroyed when the signal aborts. */
async function dial({ host, port }: ServerAddress, signal: AbortSignal): Promise<Socket> {
  const socket = connectTcp({ host, port });
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect', { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function secure(address: ServerAddress, tcp: Socket, protocol: string, signal: AbortSignal): Promise<TLSSocket> {
  const { host } = address;
  const socket = connectTls({
    socket: tcp,
    ALPNProtocols: [protocol],
    // The document says whether the key is right.
    rejectUnauthorized: false,
    ...(isIP(host) === 0 ? { servername: host } : {}),
  });
  socket.on('error', () => undefined);
  try {
    await once(socket, 'secureConnect', { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/**
 * TLS at once, with one protocol by ALPN. The caller destroys the socket.
 * @throws CliError CLI_ATTESTATION_UNREACHABLE, CLI_ATTESTATION_REFUSED when the server does not speak the protocol; the signal's reason
 */
export async function connectDirect(address: ServerAddress, protocol: string, signal: AbortSignal): Promise<TLSSocket> {
  const tcp = await dial(address, signal).catch((cause: unknown) => {
    throw unreachable(address, signal.aborted ? signal.reason : cause);
  });
  try {
    const socket = await secure(address, tcp, protocol, signal);
    if (socket.alpnProtocol === protocol) return socket;
    throw new CliError('CLI_ATTESTATION_REFUSED', `${address.host}:${address.port} does not speak ${protocol}`, {
      allowed: ATTESTING,
    });
  } catch (cause) {
    tcp.destroy();
    throw unreachable(address, signal.aborted ? signal.reason : cause);
  }
}

function firstBytes(socket: Socket): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const gone = () =>
    reject(
      new CliError('CLI_ATTESTATION_REFUSED', 'the server closes the connection when it is asked for TLS', {
        allowed: OF_APPLICATIONS,
      }),
    );
  socket.once('data', resolve).once('close', gone);
  return promise;
}

/** Asks for TLS as PostgreSQL's clients do. What comes behind the answer is refused: TLS has not begun. */
async function requestTls(socket: Socket): Promise<void> {
  socket.write(SSL_REQUEST);
  const bytes = await firstBytes(socket);
  socket.pause();
  const refusal = checkTlsAnswer(bytes);
  if (refusal === undefined) return;
  throw new CliError('CLI_ATTESTATION_REFUSED', 'the server does not begin TLS as PostgreSQL does', {
    found: refusal,
    allowed: OF_APPLICATIONS,
  });
}

/**
 * What a PostgreSQL client would be shown on this address; no client certificate is needed to see it.
 * @throws CliError CLI_ATTESTATION_UNREACHABLE, CLI_ATTESTATION_REFUSED, CLI_ATTESTATION_ANSWER
 */
export async function showTls(address: ServerAddress, signal: AbortSignal): Promise<ShownTls> {
  const tcp = await dial(address, signal).catch((cause: unknown) => {
    throw unreachable(address, signal.aborted ? signal.reason : cause);
  });
  try {
    await untilAborted(requestTls(tcp), signal);
    return shownBy(await secure(address, tcp, POSTGRES_ALPN, signal));
  } catch (cause) {
    throw unreachable(address, signal.aborted ? signal.reason : cause);
  } finally {
    tcp.destroy();
  }
}
