/**
 * A connection to the database, with TLS under the measured name and CA (PostgreSQL 18, "SSL Session Encryption"). Nothing that the
 * parent or the database says changes what is demanded: an answer other than `S`, or bytes before the handshake (CVE-2021-23222),
 * end it.
 */
import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createConnection, isIP, type Socket } from 'node:net';
import {
  connect as connectTls,
  createSecureContext,
  type SecureContext,
  type SecureVersion,
  type TLSSocket,
} from 'node:tls';
import { SessionError } from '../../postgres/session-error.ts';
import { checkTlsAnswer, SSL_REQUEST } from '../../postgres/start-up.ts';
import { untilAborted } from '../../runtime/abort.ts';
import { describeError, errorCode } from '../../runtime/errors.ts';
import { quoteStranger } from '../../runtime/harmless-text.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { amazonHint } from './amazon-issuer.ts';

export interface DatabaseTarget {
  /** Where the enclave's way out begins. */
  readonly address: TcpEndpoint;
  /** What its certificate must name: a DNS name or an IP address. */
  readonly serverName: string;
  readonly caPem: string;
  readonly minTls: SecureVersion;
}

type Failure = 'unreachable' | 'without-tls' | 'handshake-failed' | 'untrusted';

const WORDS: Readonly<Record<Failure, string>> = {
  unreachable: 'the database cannot be reached',
  'without-tls': 'the database does not offer TLS',
  'handshake-failed': 'the TLS handshake with the database broke off',
  untrusted: 'the database does not show a certificate of the measured CA for the measured name',
};

/** A client is told no more than which it was, and a code of the system's or of OpenSSL's. */
export class DatabaseConnectionError extends SessionError {
  readonly failure: Failure;
  /** For the operator: what it was in full; a certificate's names may stand in it. */
  readonly detail: string;

  /** @param reason a code */
  constructor(failure: Failure, reason = '', detail = reason) {
    super('08006', reason === '' ? WORDS[failure] : `${WORDS[failure]} (${reason})`);
    this.failure = failure;
    this.detail = detail;
  }
}

/**
 * What is trusted, read once for all connections: of RDS' bundle, a hundred certificates, each reading takes 3 ms and 800 KiB, which a
 * session would hold as long as it lives.
 */
const contexts = new WeakMap<DatabaseTarget, SecureContext>();

function contextOf(target: DatabaseTarget): SecureContext {
  const kept = contexts.get(target);
  if (kept) return kept;
  const context = createSecureContext({ ca: target.caPem, minVersion: target.minTls });
  contexts.set(target, context);
  return context;
}

const MAX_DETAIL_CHARACTERS = 500;
const MAX_ISSUER_CHARACTERS = 200;

/** Of a certificate, as Node names OpenSSL's verification errors; all else is a handshake that failed otherwise. */
const OF_CERTIFICATE =
  /^(CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_|PATH_LENGTH_|HOSTNAME_|ERR_TLS_CERT_)/;

/** @param shown its certificate, where it has shown one */
function handshakeFailed(cause: unknown, shown: X509Certificate | undefined): DatabaseConnectionError {
  const code = errorCode(cause) ?? '';
  const detail = `${code}: ${quoteStranger(describeError(cause), MAX_DETAIL_CHARACTERS)}`;
  if (!OF_CERTIFICATE.test(code)) return new DatabaseConnectionError('handshake-failed', code, detail);
  const issuer = shown && `its certificate is of ${quoteStranger(shown.issuer, MAX_ISSUER_CHARACTERS)}`;
  const words = [detail, issuer, shown && amazonHint(shown)].filter((part) => part !== undefined);
  return new DatabaseConnectionError('untrusted', code, words.join('; '));
}

/** The caller destroys it. @throws DatabaseConnectionError; the signal's reason */
export async function connectDatabase(target: DatabaseTarget, signal: AbortSignal): Promise<TLSSocket> {
  const socket = createConnection({ host: target.address.host, port: target.address.port, noDelay: true });
  // Whoever waits is told by what it waits for.
  socket.on('error', () => undefined);
  try {
    await untilAborted(once(socket, 'connect'), signal).catch((cause: unknown) => {
      signal.throwIfAborted();
      throw new DatabaseConnectionError('unreachable', errorCode(cause));
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
  if (answer === null) throw new DatabaseConnectionError('unreachable', 'it ended the connection before TLS');
  const refusal = checkTlsAnswer(answer);
  if (refusal === 'upstream-refuses-tls') throw new DatabaseConnectionError('without-tls');
  if (refusal) throw new DatabaseConnectionError('handshake-failed', 'bytes before TLS');
}

async function handshake(socket: Socket, target: DatabaseTarget, signal: AbortSignal): Promise<TLSSocket> {
  const { serverName } = target;
  const secured = connectTls({
    socket,
    secureContext: contextOf(target),
    host: serverName,
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    ALPNProtocols: ['postgresql'],
  });
  // Before Node judges it: afterwards there is none to ask.
  let shown: X509Certificate | undefined;
  secured.prependOnceListener('secure', () => {
    shown = secured.getPeerX509Certificate();
  });
  const closed = once(secured, 'close').then(() => {
    throw new DatabaseConnectionError('handshake-failed', 'it ended the connection');
  });
  closed.catch(() => undefined);
  try {
    await untilAborted(Promise.race([once(secured, 'secureConnect'), closed]), signal);
    return secured.on('error', () => undefined);
  } catch (cause) {
    secured.on('error', () => undefined).destroy();
    signal.throwIfAborted();
    throw cause instanceof DatabaseConnectionError ? cause : handshakeFailed(cause, shown);
  }
}
