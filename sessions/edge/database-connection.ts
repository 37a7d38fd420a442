/**
 * A connection to the database, with TLS under the measured name and CA (PostgreSQL 18, "SSL Session Encryption"). Nothing that the
 * parent or the database says changes what is demanded: an answer other than `S`, or bytes before the handshake (CVE-2021-23222),
 * end it.
 */
import { once } from 'node:events';
import { createConnection, isIP, type Socket } from 'node:net';
import { connect as connectTls, type SecureVersion, type TLSSocket } from 'node:tls';
import { SessionError } from '../../postgres/session-error.ts';
import { checkTlsAnswer, SSL_REQUEST } from '../../postgres/start-up.ts';
import { untilAborted } from '../../runtime/abort.ts';
import { errorCode } from '../../runtime/errors.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';

export interface DatabaseTarget {
  /** Where the enclave's way out begins. */
  readonly address: TcpEndpoint;
  /** What its certificate must name: a DNS name or an IP address. */
  readonly serverName: string;
  readonly caPem: string;
  readonly minTls: SecureVersion;
}

/** What a client is told must not hold more than a code of ours or of OpenSSL's. */
function failed(what: string, cause: unknown): SessionError {
  const code = errorCode(cause);
  return new SessionError('08006', code === undefined ? what : `${what} (${code})`);
}

/** The caller destroys it. @throws SessionError 08006; the signal's reason */
export async function connectDatabase(target: DatabaseTarget, signal: AbortSignal): Promise<TLSSocket> {
  const socket = createConnection({ host: target.address.host, port: target.address.port, noDelay: true });
  // Whoever waits is told by what it waits for.
  socket.on('error', () => undefined);
  try {
    await untilAborted(once(socket, 'connect'), signal).catch((cause: unknown) => {
      signal.throwIfAborted();
      throw failed('the database cannot be reached', cause);
    });
    await requestTls(socket, signal);
    return await handshake(socket, target, signal);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function requestTls(socket: Socket, signal: AbortSignal): Promise<void> {
  socket.write(SSL_REQUEST);
  const ended = once(socket, 'close').then(() => undefined);
  const readable = once(socket, 'readable');
  await untilAborted(Promise.race([readable, ended]), signal);
  const answer: Buffer | null = socket.read();
  if (answer === null) throw new SessionError('08006', 'the database ended the connection before TLS');
  const refusal = checkTlsAnswer(answer);
  if (refusal === 'upstream-refuses-tls') throw new SessionError('08006', 'the database does not offer TLS');
  if (refusal) throw new SessionError('08006', 'the database sent unencrypted bytes behind its answer');
}

async function handshake(
  socket: Socket,
  { serverName, caPem, minTls }: DatabaseTarget,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const secured = connectTls({
    socket,
    ca: caPem,
    host: serverName,
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    minVersion: minTls,
    ALPNProtocols: ['postgresql'],
  });
  const closed = once(secured, 'close').then(() => {
    throw new SessionError('08006', 'the database ended the TLS handshake');
  });
  closed.catch(() => undefined);
  try {
    await untilAborted(Promise.race([once(secured, 'secureConnect'), closed]), signal);
    return secured.on('error', () => undefined);
  } catch (cause) {
    secured.on('error', () => undefined).destroy();
    signal.throwIfAborted();
    throw cause instanceof SessionError
      ? cause
      : failed('the database does not show a certificate of its CA for its name, or speaks other TLS', cause);
  }
}
