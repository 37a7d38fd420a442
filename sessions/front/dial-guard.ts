/** Connects to a guard. */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { untilAborted } from '../../runtime/abort.ts';

/** Undefined where nobody listens. @throws the signal's reason */
export async function dialGuard(path: string, signal: AbortSignal): Promise<Socket | undefined> {
  const socket = createConnection(path);
  const failed = new Promise<false>((resolve) => socket.on('error', () => resolve(false)));
  const connected = once(socket, 'connect').then(() => true);
  connected.catch(() => undefined);
  try {
    return (await untilAborted(Promise.race([connected, failed]), signal)) ? socket : undefined;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
