/** Connections that go over to WebSocket, and those that do not. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Test } from 'tap';
import t from 'tap';
import { noise } from '../../../relay/support/noise.ts';
import { readAll, readBytes } from '../../../relay/support/sockets.ts';
import { closed } from '../../../support/closed.ts';
import { rawExchange } from '../support/http-client.ts';
import { PortsRig } from '../support/ports-rig.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const fields = (...more: readonly string[]) => ['Host: a', 'Connection: Upgrade', ...more].join('\r\n');
const ASKED = `GET /chat HTTP/1.1\r\n${fields('Upgrade: websocket', `Sec-WebSocket-Key: ${KEY}`, 'Sec-WebSocket-Version: 13')}\r\n\r\n`;

/** A text frame of a client, masked (RFC 6455 section 5). */
function frame(text: string): Buffer {
  const mask = Buffer.of(1, 2, 3, 4);
  const masked = Buffer.from(text).map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([Buffer.of(0x81, 0x80 | text.length), mask, masked]);
}

/** Echoes frames of less than 126 bytes, and says what it was asked. */
async function echoServer(t: Test, asked: Record<string, unknown>[] = []): Promise<number> {
  const server = createServer((_request, response) => void response.writeHead(426).end('no WebSocket'));
  server.on('upgrade', (request, socket: Socket, first: Buffer) => {
    asked.push(request.headers);
    const accept = createHash('sha1').update(
      `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`,
    );
    const head = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept.digest('base64')}`];
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${head.join('\r\n')}\r\n\r\n`);
    const echo = (bytes: Buffer) => {
      const length = (bytes[1] ?? 0) & 0x7f;
      const text = bytes.subarray(6, 6 + length).map((byte, index) => byte ^ (bytes[2 + (index % 4)] ?? 0));
      socket.write(Buffer.concat([Buffer.of(0x81, length), text]));
    };
    if (first.length > 0) echo(first);
    socket.on('data', echo).on('end', () => socket.end());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const started = (t: Test, programPort: number) => PortsRig.start(t, { programPort, protocol: 'http' });

t.test('echoes frames over WebSocket, those behind the request too', async (t) => {
  const asked: Record<string, unknown>[] = [];
  const rig = await started(t, await echoServer(t, asked));
  for (const early of [frame('early'), Buffer.alloc(0)]) {
    const client = await rig.secure();
    client.write(Buffer.concat([Buffer.from(ASKED), early]));
    let head = '';
    while (!head.endsWith('\r\n\r\n')) head += String(await readBytes(client, 1));
    t.match(head, /^HTTP\/1.1 101 .*Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/s);
    if (early.length > 0) t.equal(String((await readBytes(client, 7)).subarray(2)), 'early');
    for (const text of ['one', 'two']) {
      client.write(frame(text));
      t.equal(String((await readBytes(client, 5)).subarray(2)), text);
    }
    client.end();
    await closed(client);
  }
  t.match(asked[0], { upgrade: 'websocket', connection: 'Upgrade', 'x-forwarded-proto': 'https' });
});

t.test('gives a program that stays with HTTP the last word, and nobody what stands behind the request', async (t) => {
  const server = createServer((_request, response) => void response.writeHead(403).end('not here'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => void server.close());
  const seen: string[] = [];
  server.on('request', ({ url }) => seen.push(url ?? ''));
  const rig = await started(t, (server.address() as AddressInfo).port);
  const all = await rawExchange(rig, `${ASKED}GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n`);
  t.match(all, /^HTTP\/1.1 403 .*\r\n\r\nnot here$/s);
  t.equal(all.match(/HTTP\/1.1/g)?.length, 1);
  t.same(seen, ['/chat']);
});

t.test('goes over to no other protocol: it is a request like any other', async (t) => {
  const rig = await started(t, await echoServer(t));
  for (const other of ['h2c', 'websocket, h2c', 'tls/1.0', 'WebSocket2']) {
    const asked = `GET / HTTP/1.1\r\n${fields(`Upgrade: ${other}`, 'HTTP2-Settings: x', 'Connection: close')}\r\n\r\n`;
    t.match(await rawExchange(rig, asked), /^HTTP\/1.1 426 .*no WebSocket/s, other);
  }
});

t.test('says 503 and 502 there, too', async (t) => {
  const away = await started(t, 1);
  t.match(await rawExchange(away, ASKED), /^HTTP\/1.1 503 .*\n$/s);
  const server = createServer();
  server.on('upgrade', (_request, socket: Socket) => socket.destroy());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => void server.close());
  const rig = await started(t, (server.address() as AddressInfo).port);
  t.match(await rawExchange(rig, ASKED), /^HTTP\/1.1 502 .*\n$/s);
  server.removeAllListeners('upgrade').on('upgrade', (_request, socket: Socket) => {
    socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\nx');
  });
  t.match(await rawExchange(rig, ASKED), /^HTTP\/1.1 502 .*\n$/s, 'over to what nobody names');
});

t.test('keeps every byte of either side once it has gone over', async (t) => {
  const server = createServer();
  server.on('upgrade', (_request, socket: Socket, first: Buffer) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    socket.unshift(first);
    socket.pipe(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => void server.close());
  const rig = await started(t, (server.address() as AddressInfo).port);
  const client = await rig.secure();
  const bytes = noise('frames', 2_000_000);
  client.write(ASKED);
  const all = readAll(client);
  client.end(bytes);
  const said = await all;
  t.ok(said.subarray(said.indexOf('\r\n\r\n') + 4).equals(bytes));
});
