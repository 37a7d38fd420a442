/** A client that says exactly what it is told to: for TLS negotiation, pipelining and cancel requests. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { Client, type ClientConfig } from 'pg';
import { type Frame, client as frames } from './frames.ts';

export const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex');
export const GSS_REQUEST = Buffer.from('0000000804d21630', 'hex');

/** All bytes until the peer ends. */
export async function readAll(socket: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined);
  await new Promise((resolve) => socket.once('close', resolve));
  return Buffer.concat(chunks);
}

export async function connectPlain(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setNoDelay();
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Asks for TLS as libpq does and shakes hands. */
export async function connectSecured(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = await connectPlain(port);
  socket.write(SSL_REQUEST);
  const [answer] = await once(socket, 'readable').then(() => [socket.read(1)]);
  if (String(answer) !== 'S') throw new Error(`no TLS: ${answer}`);
  const secured = connectTls({ socket, ...options });
  secured.on('error', () => undefined);
  await once(secured, 'secureConnect');
  return secured;
}

/** Logs in with node-postgres, then takes its stream over. */
export async function rawSession(config: ClientConfig) {
  const session = new Client(config);
  session.on('error', () => undefined);
  await session.connect();
  // biome-ignore lint/suspicious/noExplicitAny: node-postgres does not show its stream in its types
  const stream: Duplex = (session as any).connection.stream;
  stream.removeAllListeners('data');
  const received: { type: string; body: Buffer }[] = [];
  let rest = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
      const end = rest.readInt32BE(1) + 1;
      received.push({ type: rest.toString('latin1', 0, 1), body: Buffer.from(rest.subarray(5, end)) });
      rest = rest.subarray(end);
    }
  });
  return {
    /** Sends everything at once and waits for that many ReadyForQuery. */
    async pipeline(messages: readonly Frame[], readyCount: number) {
      received.length = 0;
      stream.write(Buffer.concat(messages.map(({ frame }) => frame)));
      while (received.filter(({ type }) => type === 'Z').length < readyCount) {
        await new Promise<void>((resolve, reject) => {
          const onClose = () => reject(new Error('the connection was closed'));
          stream.once('close', onClose).once('data', () => {
            stream.off('close', onClose);
            resolve();
          });
        });
      }
      return [...received];
    },
    end: () => stream.destroy(),
    frames,
  };
}
