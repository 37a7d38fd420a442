/** A server that listens, or why it cannot, which Node tells by an event. */
import type { ListenOptions, Server } from 'node:net';

/**
 * A path is bound before this returns: a umask that holds until then is that of the socket's file.
 * @param failed makes the error of whoever listens
 * @throws what `failed` makes
 */
export function listenAt(server: Server, where: ListenOptions, failed: (cause: unknown) => Error): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(failed(cause)));
    server.listen(where, resolve);
  });
}
