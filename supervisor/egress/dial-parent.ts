/** Dials the private socket where the relay's route to host-proxy begins. */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import type { UnixEndpoint } from '../../wire/endpoint.ts';
import type { DialParent } from './reach.ts';

export function parentDialler({ path }: UnixEndpoint): DialParent {
  return async (signal): Promise<Socket> => {
    const socket = createConnection({ path, allowHalfOpen: true });
    try {
      await once(socket, 'connect', { signal });
      return socket;
    } catch (error) {
      socket.on('error', () => undefined).destroy();
      throw error;
    }
  };
}
