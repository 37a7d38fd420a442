import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test as TapTest } from 'tap';
import { exchangeByte } from '../../../supervisor/probes/exchange-byte.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const signal = () => new AbortController().signal;

/** Answers as told; `ended` is fulfilled with all that came, when the other side has closed. */
async function peer(t: TapTest, serve: (socket: Socket, bytes: Buffer) => void) {
  const path = join(temporaryFolder(t), 'peer.sock');
  const ended = Promise.withResolvers<Buffer>();
  const asked = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    const chunks: Buffer[] = [];
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      asked.resolve();
      serve(socket, chunk);
    });
    socket.once('close', () => ended.resolve(Buffer.concat(chunks)));
  }).listen(path);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { path, ended: ended.promise, asked: asked.promise };
}

t.test('sends one byte, takes one back and closes', async (t) => {
  for (const byte of [0, 0xb7, 0xff]) {
    const { path, ended } = await peer(t, (socket, bytes) => void socket.write(bytes));
    t.equal(await exchangeByte(path, byte, signal()), byte);
    t.same(await ended, Buffer.of(byte));
  }
});

t.test('tells the byte that came back, whatever was sent, and nothing after it', async (t) => {
  const { path, ended } = await peer(t, (socket) => void socket.write(Buffer.of(1, 2, 3)));
  t.equal(await exchangeByte(path, 0xb7, signal()), 1);
  await ended;
});

t.test('tells a peer that closes without an answer', async (t) => {
  const { path } = await peer(t, (socket) => void socket.end());
  t.equal(await exchangeByte(path, 0xb7, signal()), undefined);
});

t.test('rejects where nobody listens, with the system’s error', async (t) => {
  await t.rejects(exchangeByte(join(temporaryFolder(t), 'none'), 1, signal()), { code: 'ENOENT' });
});

t.test('rejects a peer that breaks the connection, with the system’s error', async (t) => {
  const { path } = await peer(t, (socket) => void socket.destroy());
  const answer = await exchangeByte(path, 1, signal()).catch((error: NodeJS.ErrnoException) => error.code);
  t.ok(answer === undefined || answer === 'ECONNRESET' || answer === 'EPIPE', String(answer));
});

t.test('ends at once when its signal aborts, and closes', async (t) => {
  const { path, ended, asked } = await peer(t, () => undefined);
  const stop = new AbortController();
  const exchange = exchangeByte(path, 0xb7, stop.signal);
  await asked;
  stop.abort(new Error('stop'));
  await t.rejects(exchange, { message: 'stop' });
  t.same(await ended, Buffer.of(0xb7));
});

t.test('connects nowhere when its signal has aborted before', async (t) => {
  const { path } = await peer(t, () => t.fail('asked'));
  await t.rejects(exchangeByte(path, 1, AbortSignal.abort(new Error('stop'))), { message: 'stop' });
});
