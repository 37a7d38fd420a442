/** Real peers for the relay: servers and clients over TCP and unix sockets that can do what hostile ones do. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { NetConnectOpts, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { listenPath } from '../../../relay/worker/bind.ts';
import type { Endpoint } from '../../../wire/endpoint.ts';

interface Test {
  teardown(fn: () => unknown): void;
}

export interface TestServer {
  readonly endpoint: Endpoint;
  /** Every connection so far. */
  readonly sockets: readonly Socket[];
  /** The next connection that nobody took yet. */
  next(): Promise<Socket>;
  close(): Promise<void>;
}

function endpointOf(server: Server): Endpoint {
  const address = server.address();
  if (typeof address === 'string') return { kind: 'unix', path: address };
  return { kind: 'tcp', host: '127.0.0.1', port: address!.port };
}

/** @param path of a unix socket; without: a free TCP port. Sockets start paused and may stay half open. */
export async function serve(t: Test, onConnection: (socket: Socket) => void, path?: string): Promise<TestServer> {
  const sockets: Socket[] = [];
  let taken = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    sockets.push(socket);
    onConnection(socket);
  });
  server.listen(path === undefined ? { host: '127.0.0.1', port: 0 } : { path });
  await once(server, 'listening');
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  t.teardown(close);
  return {
    endpoint: endpointOf(server),
    sockets,
    close,
    async next() {
      while (sockets.length <= taken) await once(server, 'connection');
      taken += 1;
      return sockets[taken - 1]!;
    },
  };
}

export function serveEcho(t: Test, path?: string): Promise<TestServer> {
  return serve(t, (socket) => socket.pipe(socket), path);
}

/** A client at another address of this machine. */
export async function dialFrom(t: Test, endpoint: Endpoint, localAddress: string): Promise<Socket> {
  if (endpoint.kind !== 'tcp') throw new Error('tcp only');
  const socket = connect({ host: endpoint.host, port: endpoint.port, localAddress, allowHalfOpen: true });
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  return socket.setNoDelay(true);
}

function connectOptions(endpoint: Endpoint): NetConnectOpts {
  if (endpoint.kind === 'tcp') return { host: endpoint.host, port: endpoint.port, allowHalfOpen: true, noDelay: true };
  return { path: listenPath(endpoint)!, allowHalfOpen: true };
}

/** A connected client that may stay half open; its errors are left to `closed` and `readAll`. */
export async function dial(t: Test, endpoint: Endpoint): Promise<Socket> {
  const socket = connect(connectOptions(endpoint));
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  return socket;
}

/** Everything until the end of the stream; rejects on a reset. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Exactly `length` bytes. */
export async function readBytes(socket: Socket, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let left = length;
  while (left > 0) {
    const chunk = socket.read(Math.min(left, socket.readableLength || left)) as Buffer | null;
    if (chunk === null) {
      if (socket.readableEnded || socket.destroyed) throw new Error(`ended ${left} bytes too early`);
      await Promise.race([once(socket, 'readable'), once(socket, 'end'), once(socket, 'close')]);
      continue;
    }
    chunks.push(chunk);
    left -= chunk.length;
  }
  return Buffer.concat(chunks);
}

/** Resolves when the peer has closed or reset, with the error's code or `end`. What arrives before is thrown away. */
export async function closed(socket: Socket): Promise<string> {
  if (socket.destroyed || socket.readableEnded) return 'end';
  let outcome = 'end';
  socket.on('error', (error: NodeJS.ErrnoException) => {
    outcome = error.code ?? 'error';
  });
  socket.on('end', () => socket.destroy());
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve));
  return outcome;
}

/** Says something and waits for the same to come back. */
export async function echoes(socket: Socket, text = 'are you there'): Promise<boolean> {
  socket.write(text);
  return (await readBytes(socket, Buffer.byteLength(text))).toString() === text;
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
