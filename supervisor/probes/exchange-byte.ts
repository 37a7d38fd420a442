/** Sends one byte to a unix socket and takes one back. */
import { createConnection } from 'node:net';

/** @returns the byte, or undefined when the other side closes without one. @throws the socket's error, the signal's reason */
export function exchangeByte(path: string, byte: number, signal: AbortSignal): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = createConnection({ path });
    const end = (settle: () => void) => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      settle();
    };
    const onAbort = () => end(() => reject(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', (error) => end(() => reject(error)));
    socket.once('data', (data: Buffer) => end(() => resolve(data[0])));
    socket.once('end', () => end(() => resolve(undefined)));
    socket.write(Buffer.of(byte));
  });
}
