/**
 * Asks a PostgreSQL endpoint for TLS: eight bytes out, one byte back (protocol 3.0, "SSL Session Encryption"). Through
 * acra-server it shows that acra-server accepts, dials the database, and that the database offers TLS.
 */
import { createConnection } from 'node:net';
import type { TcpEndpoint, UnixEndpoint } from '../config/endpoint.ts';

/** Int32 length 8, Int32 code 80877103. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

export type TlsAnswer =
  /** `S`: TLS is offered. */
  | 'offered'
  /** `N` or an error message: somebody answers, without TLS. */
  | 'refused'
  /** The connection was accepted, then ended without an answer. */
  | 'closed'
  /** Accepted, but no answer within the time. */
  | 'silent'
  /** Not accepted. */
  | 'unreachable';

/** Never rejects, except with the signal's reason. */
export function askForTls(
  target: TcpEndpoint | UnixEndpoint,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<TlsAnswer> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(
      target.kind === 'tcp' ? { host: target.host, port: target.port } : { path: target.path },
    );
    let connected = false;
    const onAbort = () => finish(() => reject(signal.reason));
    const finish = (settle: () => void) => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      settle();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    socket.setTimeout(timeoutMs, () => finish(() => resolve(connected ? 'silent' : 'unreachable')));
    socket.once('connect', () => {
      connected = true;
      socket.write(SSL_REQUEST);
    });
    socket.once('data', (answer: Buffer) => finish(() => resolve(answer[0] === 0x53 ? 'offered' : 'refused')));
    socket.once('end', () => finish(() => resolve('closed')));
    socket.once('error', () => finish(() => resolve(connected ? 'closed' : 'unreachable')));
  });
}
