/**
 * Does the database answer, with TLS, under the measured name and CA? The same way that acra-server goes (PostgreSQL
 * protocol, "SSL Session Encryption"), up to the end of the handshake; PostgreSQL does not log a connection that then ends.
 */
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { connect as connectTls } from 'node:tls';
import { DATABASE_TLS, refusedCertificate } from '../../acra/server/database-tls.ts';
import { SSL_REQUEST, TLS_ANSWERS } from '../../postgres/start-up.ts';
import { systemClock } from '../../runtime/clock.ts';
import { describeError, errorCode } from '../../runtime/errors.ts';
import { amazonHint } from '../../sessions/edge/amazon-issuer.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { connect } from './connect.ts';

export type DatabaseAnswer =
  /** `fingerprint`: SHA-256 of its certificate. */
  | { readonly kind: 'trusted'; readonly fingerprint: string }
  /** Somebody answers, without TLS: `N`, or an error message. */
  | { readonly kind: 'without-tls' }
  /** TLS, but not with a certificate of the measured CA for the measured name. */
  | { readonly kind: 'untrusted'; readonly reason: string }
  /** TLS, and no agreement. */
  | { readonly kind: 'handshake-failed'; readonly reason: string }
  | { readonly kind: 'unreachable' };

export interface DatabaseProbe {
  readonly target: TcpEndpoint;
  readonly serverName: string;
  readonly caPem: string;
  readonly timeoutMs: number;
}

/** A chain is three or four long. */
const MAX_SHOWN = 16;

/** @throws the signal's reason */
export async function probeDatabase(probe: DatabaseProbe, signal: AbortSignal): Promise<DatabaseAnswer> {
  const socket = await connect(probe.target, probe.timeoutMs, signal);
  if (!socket) return { kind: 'unreachable' };
  const onAbort = () => socket.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  socket.setTimeout(probe.timeoutMs, () => socket.destroy());
  try {
    const answer = await askForTls(socket);
    if (answer === undefined) return { kind: 'unreachable' };
    return answer === TLS_ANSWERS.accepted ? await handshake(socket, probe) : { kind: 'without-tls' };
  } finally {
    socket.destroy();
    signal.removeEventListener('abort', onAbort);
    signal.throwIfAborted();
  }
}

/** The first byte of the answer; undefined when the connection ends without one. */
function askForTls(socket: Socket): Promise<number | undefined> {
  return new Promise((resolve) => {
    socket.once('data', (bytes: Buffer) => {
      socket.pause();
      resolve(bytes[0]);
    });
    socket.once('close', () => resolve(undefined));
    socket.write(SSL_REQUEST);
  });
}

/**
 * The greeting is acra-server's, and so is the judgement (acra/server/database-tls.ts), chain and all: it is what
 * sessions will meet. A handshake that breaks off says nothing of the certificate.
 */
function handshake(socket: Socket, { serverName, caPem }: DatabaseProbe): Promise<DatabaseAnswer> {
  return new Promise((resolve) => {
    const tls = connectTls({
      ...DATABASE_TLS,
      socket,
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    tls.once('secureConnect', () => {
      resolve(judge(tls, caPem, serverName));
      tls.destroy();
    });
    tls.on('error', (error) => resolve(brokenOff(error)));
    socket.once('close', () => resolve({ kind: 'unreachable' }));
  });
}

function judge(tls: TLSSocket, caPem: string, serverName: string): DatabaseAnswer {
  const leaf = tls.getPeerX509Certificate();
  if (!leaf) return { kind: 'handshake-failed', reason: 'it shows no certificate' };
  const reason = refusedCertificate(shownWith(leaf), caPem, serverName, systemClock.nowMs());
  if (reason === undefined) return { kind: 'trusted', fingerprint: leaf.fingerprint256 };
  return { kind: 'untrusted', reason: [reason, amazonHint(leaf)].filter((part) => part !== undefined).join('; ') };
}

/** All that was sent, in DER and in its order: that is what Node calls the issuers. */
function shownWith(leaf: X509Certificate): Buffer[] {
  const shown: Buffer[] = [];
  for (let at: X509Certificate | undefined = leaf; at && shown.length < MAX_SHOWN; at = at.issuerCertificate) {
    if (shown.some((other) => at?.raw.equals(other))) break;
    shown.push(at.raw);
  }
  return shown;
}

/** A connection that is reset is a database, or a way to it, that went away; what OpenSSL complains of will not mend itself. */
function brokenOff(error: Error & { readonly reason?: unknown }): DatabaseAnswer {
  if (errorCode(error)?.startsWith('ERR_SSL') !== true) return { kind: 'unreachable' };
  return { kind: 'handshake-failed', reason: typeof error.reason === 'string' ? error.reason : describeError(error) };
}
