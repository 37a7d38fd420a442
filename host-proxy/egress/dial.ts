/**
 * Connects to the first of several addresses that takes the connection: they are begun one after the other, and the next one as soon as one
 * fails or lets wait. Exactly these addresses, which somebody has judged: no name is resolved here.
 * Specification: RFC 8305 section 5 (Connection Attempt Delay).
 */
import { createConnection, type Socket } from 'node:net';
import type { ResolvedAddress } from '../../relay/resolver.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorCode } from '../../runtime/errors.ts';
import { EgressError } from '../../wire/egress/errors.ts';

const ATTEMPT_DELAY_MS = 250;

export interface Connected {
  readonly socket: Socket;
  readonly address: string;
}

/**
 * The socket is half-open.
 * @param addresses at least one, in the order in which they are tried
 * @throws EgressError EGRESS_UNREACHABLE; the signal's reason
 */
export function dialFirst(
  addresses: readonly ResolvedAddress[],
  port: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Connected> {
  const attempts = new Set<Socket>();
  const over = new AbortController();
  return new Promise<Connected>((resolve, reject) => {
    const waiting = [...addresses];
    const failures: string[] = [];
    const onAbort = () => reject(signal.reason);
    const settle = () => signal.removeEventListener('abort', onAbort);
    over.signal.addEventListener('abort', settle, { once: true });
    const next = () => {
      const address = waiting.shift()?.address;
      if (address === undefined || over.signal.aborted) return;
      const attempt = new AbortController();
      const socket = createConnection({ host: address, port, allowHalfOpen: true });
      attempts.add(socket);
      socket.once('connect', () => {
        attempts.delete(socket);
        resolve({ socket, address });
      });
      socket.once('error', (error) => {
        attempts.delete(socket);
        attempt.abort();
        failures.push(`${address} (${errorCode(error) ?? 'unknown'})`);
        if (failures.length === addresses.length) reject(unreachable(failures));
        else next();
      });
      const waits = AbortSignal.any([attempt.signal, over.signal]);
      clock.sleep(ATTEMPT_DELAY_MS, waits).then(next, () => undefined);
    };
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    next();
  }).finally(() => {
    over.abort();
    for (const socket of attempts) socket.on('error', () => undefined).destroy();
  });
}

function unreachable(failures: readonly string[]): EgressError {
  return new EgressError('EGRESS_UNREACHABLE', `no address takes the connection: ${failures.join(', ')}`);
}
