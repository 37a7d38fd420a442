/** The end of a connection, however it comes: `once(socket, 'close')` rejects when the peer resets it, which a killed peer may. */
import { once } from 'node:events';
import type { Socket } from 'node:net';

/** Resolves when the socket is closed, by end, reset or error; what still comes is dropped. */
export async function closed(socket: Socket): Promise<void> {
  socket.on('error', () => undefined).resume();
  while (!socket.closed) await once(socket, 'close').catch(() => undefined);
}
