/** What the HTTP emulators share: they listen on the loopback interface only, bound what they read, and stop for good. */
import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { EmulatorError } from './errors.ts';

const LOOPBACK = '127.0.0.1';

/** @param port 0 for any free one. @throws EmulatorError EMULATOR_LISTEN */
export async function listenOnLoopback(server: NetServer, port: number): Promise<{ host: string; port: number }> {
  server.listen(port, LOOPBACK);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new EmulatorError('EMULATOR_LISTEN', `cannot listen on ${LOOPBACK}:${port}`, { cause: error });
  }
  return { host: LOOPBACK, port: (server.address() as AddressInfo).port };
}

/** Ends every connection, answered or not. Idempotent. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

/** Never keeps more than `maxBytes` in memory. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | 'too-large' | 'aborted'> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += chunk.length;
      if (size > maxBytes) return 'too-large';
      chunks.push(chunk);
    }
  } catch {
    return 'aborted';
  }
  return Buffer.concat(chunks);
}
