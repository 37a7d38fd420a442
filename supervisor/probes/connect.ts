/** Opens a connection or says that it cannot; shared by the probes. */
import type { Socket } from 'node:net';
import { createConnection } from 'node:net';
import type { TcpEndpoint, UnixEndpoint } from '../../wire/endpoint.ts';

/** Undefined when nobody accepts within the time. The caller destroys the socket. @throws the signal's reason */
export function connect(
  target: TcpEndpoint | UnixEndpoint,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const address = target.kind === 'tcp' ? { host: target.host, port: target.port } : { path: target.path };
    const socket = createConnection({ ...address, noDelay: true });
    const settle = (finish: () => void) => {
      signal.removeEventListener('abort', onAbort);
      socket.setTimeout(0);
      finish();
    };
    const giveUp = () => {
      socket.destroy();
      settle(() => resolve(undefined));
    };
    const onAbort = () => {
      socket.destroy();
      settle(() => reject(signal.reason));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    socket.setTimeout(timeoutMs, giveUp);
    socket.on('error', giveUp);
    socket.once('connect', () => settle(() => resolve(socket)));
  });
}
