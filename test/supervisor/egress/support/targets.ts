/** What is reached through the proxy. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

type Teardown = { teardown(fn: () => unknown): void };

/** @returns the port */
export async function listenAnywhere(
  t: Teardown,
  serve: (socket: Socket) => void,
  host = '127.0.0.1',
): Promise<number> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy()).once('close', () => open.delete(socket));
    serve(socket);
  });
  server.listen({ host, port: 0 });
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
