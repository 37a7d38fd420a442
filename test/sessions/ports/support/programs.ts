/** Programs of an application, as they stand behind a port. */
import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Test } from 'tap';

async function listening(t: Test, server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

export interface ByteProgram {
  readonly port: number;
  /** Its connections, in order. */
  readonly sockets: Socket[];
}

/** One that is given bytes. Its sockets may stay half open. */
export async function byteProgram(t: Test, serve: (socket: Socket) => void): Promise<ByteProgram> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket.on('error', () => undefined));
    serve(socket);
  });
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { port: await listening(t, server), sockets };
}

export const echoProgram = (t: Test): Promise<ByteProgram> => byteProgram(t, (socket) => void socket.pipe(socket));

export interface HttpProgramOfATest {
  readonly port: number;
  readonly server: HttpServer;
}

export async function httpProgram(t: Test, answer: RequestListener): Promise<HttpProgramOfATest> {
  const server = createHttpServer(answer);
  t.teardown(() => server.closeAllConnections());
  return { port: await listening(t, server), server };
}

/** A port at which nobody listens. */
export async function nobody(t: Test): Promise<number> {
  const server = createServer();
  const port = await listening(t, server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
