/** Requests of clients through TLS to a program and back. */
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import t from 'tap';
import { parseProxyHeader } from '../../../../wire/proxy-protocol.ts';
import { noise } from '../../../relay/support/noise.ts';
import { readBytes } from '../../../relay/support/sockets.ts';
import { closed } from '../../../support/closed.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { client as clientOver, rawExchange } from '../support/http-client.ts';
import { HERE, PortsRig, type RigOptions } from '../support/ports-rig.ts';
import { byteProgram, httpProgram, nobody } from '../support/programs.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const HEAD = 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n';

/** Time passes slowly, so that what happens meanwhile has happened. */
async function msUntilClosed(clock: FakeClock, socket: Socket): Promise<number> {
  socket.resume();
  let passedMs = 0;
  for (; !socket.closed; passedMs += 1_000) {
    clock.advance(1_000);
    await turn();
  }
  return passedMs;
}

const started = (t: Parameters<typeof PortsRig.start>[0], options: RigOptions) =>
  PortsRig.start(t, { protocol: 'http', ...options });

t.test(
  'answers request after request on one connection, each with a connection to the program of its own',
  async (t) => {
    const seen: Socket[] = [];
    const { port } = await httpProgram(t, (request, response) => {
      seen.push(request.socket);
      response.setHeader('X-Answer', `${request.method} ${request.url}`).end(`body of ${request.url}`);
    });
    const rig = await started(t, { programPort: port });
    const ask = clientOver(await rig.secure());
    for (const path of ['/a?b=c', '/%2e%2e/x', '/*']) {
      const answer = await ask({ path });
      t.match(answer, { status: 200, body: `body of ${path}`, headers: { 'x-answer': `GET ${path}` } });
    }
    t.equal(new Set(seen).size, 3);
  },
);

t.test('streams bodies both ways, of any length, before the other side is through', async (t) => {
  const { port } = await httpProgram(t, (request, response) => void request.pipe(response));
  const rig = await started(t, { programPort: port });
  const socket = await rig.secure();
  const sent = httpRequest({ createConnection: () => socket, method: 'POST', headers: { host: 'app.test' } });
  const response = once(sent, 'response') as Promise<[IncomingMessage]>;
  sent.write('first');
  const [answer] = await response;
  t.equal(String((await once(answer, 'data'))[0]), 'first');
  const bytes = noise('body', 3_000_000);
  const rest = buffer(answer);
  sent.end(bytes);
  t.ok((await rest).equals(bytes));
});

t.test('passes on a length that is told, and a HEAD without a body', async (t) => {
  const seen: unknown[] = [];
  const { port } = await httpProgram(t, async (request, response) => {
    const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
    seen.push([request.method, length, coding, await text(request)]);
    response.setHeader('Content-Length', 5).end('12345');
  });
  const rig = await started(t, { programPort: port });
  const ask = clientOver(await rig.secure());
  t.match(await ask({ method: 'PUT', body: 'four', headers: { 'Content-Length': '4' } }), { body: '12345' });
  const chunked = { 'Transfer-Encoding': 'chunked' };
  t.match(await ask({ method: 'DELETE', body: 'gone', headers: chunked }), { body: '12345' });
  t.match(await ask({ method: 'HEAD' }), { headers: { 'content-length': '5' }, body: '' });
  t.same(seen, [
    ['PUT', '4', undefined, 'four'],
    ['DELETE', undefined, 'chunked', 'gone'],
    ['HEAD', undefined, undefined, ''],
  ]);
});

t.test('asks a client to go on only when the program does', async (t) => {
  const { port, server } = await httpProgram(t, async (request, response) => void response.end(await text(request)));
  server.on('checkContinue', (request: IncomingMessage, response) => {
    if (request.url === '/no') response.writeHead(413).end();
    else {
      response.writeContinue();
      server.emit('request', request, response);
    }
  });
  const rig = await started(t, { programPort: port });
  const client = await rig.secure();
  const head = (path: string) =>
    `POST ${path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\n`;
  client.write(head('/'));
  t.equal(String(await readBytes(client, 25)), 'HTTP/1.1 100 Continue\r\n\r\n');
  client.write('body');
  t.match(String(await text(client)), /^HTTP\/1.1 200 .*body/s);
  t.match(await rawExchange(rig, head('/no')), /^HTTP\/1.1 413 (?!.*HTTP)/s);
});

t.test(
  'passes on the body of a client that waits no longer to be told to go on, as programs of HTTP/1.0 never do',
  async (t) => {
    const { port } = await byteProgram(t, (socket) => {
      let said = '';
      socket.on('data', (chunk: Buffer) => {
        said += chunk.toString('latin1');
        if (said.endsWith('\r\n\r\nbody')) socket.end('HTTP/1.0 200 OK\r\n\r\ntaken');
      });
    });
    const rig = await started(t, { programPort: port });
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\n';
    t.match(await rawExchange(rig, `${head}body`), /^HTTP\/1.1 200 (?!.*HTTP).*taken/s);
  },
);

t.test('says 503 while nobody listens, 502 for what is no answer, and goes on when the program does', async (t) => {
  const away = await started(t, { programPort: await nobody(t) });
  t.match(await rawExchange(away, HEAD), /^HTTP\/1.1 503 .*Connection: close.*\r\n\r\n503 Service Unavailable\n$/s);
  for (const [what, answer] of Object.entries({
    'no HTTP': 'SSH-2.0-x\r\n',
    nothing: '',
    'half a head': 'HTTP/1.1 200 OK\r\nContent-',
    'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
    'length and coding': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'another coding': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    'another protocol that is not named': 'HTTP/1.1 101 Switching Protocols\r\n\r\nx',
    'another protocol': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    'a reason that is no text': 'HTTP/1.1 200 O\x01K\r\n\r\n',
    'a status that is none': 'HTTP/1.1 000 Nothing\r\n\r\n',
  })) {
    const { port } = await byteProgram(t, (socket) => void socket.once('data', () => socket.end(answer, 'latin1')));
    const rig = await started(t, { programPort: port });
    t.match(await rawExchange(rig, HEAD), /^HTTP\/1.1 502 Bad Gateway\r\n.*502 Bad Gateway\n$/s, what);
  }
});

t.test('tells no length of an answer that has no content', async (t) => {
  const { port } = await byteProgram(t, (socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nfour'));
  });
  const rig = await started(t, { programPort: port });
  const all = await rawExchange(rig, HEAD.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  t.match(all, /^HTTP\/1.1 204 No Content\r\n.*\r\n\r\n$/s);
  t.notMatch(all, /length|four/i);
});

t.test('asks the program nothing that stands behind an answer which is the last word', async (t) => {
  const { port, sockets } = await byteProgram(t, (socket) => void socket.once('data', () => socket.end('x')));
  const rig = await started(t, { programPort: port });
  const all = await rawExchange(rig, `${HEAD}${HEAD}`);
  t.match(all, /^HTTP\/1.1 502 .*502 Bad Gateway\n$/s);
  t.equal(all.match(/HTTP\/1.1/g)?.length, 1);
  for (let turns = 0; turns < 20; turns += 1) await turn();
  t.equal(sockets.length, 1);
});

t.test('cuts an answer that the program does not end, so that nobody takes it for a whole one', async (t) => {
  for (const head of ['Content-Length: 10', 'Transfer-Encoding: chunked']) {
    const { port } = await byteProgram(t, (socket) => {
      socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n4\r\nhalf\r\n`));
    });
    const rig = await started(t, { programPort: port });
    await t.rejects(clientOver(await rig.secure())());
  }
});

t.test('ends the request at the program when the client leaves', async (t) => {
  const { port } = await httpProgram(t, (request) => void request.resume());
  const { sockets, port: bytes } = await byteProgram(t, (socket) => void socket.resume());
  for (const programPort of [port, bytes]) {
    const rig = await started(t, { programPort });
    const client = await rig.secure();
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
    if (programPort === port) client.destroy();
    else {
      while (sockets.length === 0) await turn();
      const ended = once(sockets[0] as Socket, 'end');
      client.destroy();
      await ended;
    }
  }
  t.equal(sockets.length, 1);
});

t.test('gives the head of a first request so much time, whatever comes, and the next a minute', async (t) => {
  const { port } = await httpProgram(t, (_request, response) => void response.end());
  const clock = new FakeClock(Date.now());
  const rig = await started(t, { programPort: port, clock, limits: { prefaceTimeoutMs: 5_000 } });
  const quick = await rig.secure();
  const ask = clientOver(quick);
  t.match(await ask(), { status: 200 });
  const [silent, slow] = [await rig.secure(), await rig.secure()];
  for (const byte of HEAD.slice(0, -1)) slow.write(byte);
  t.ok((await msUntilClosed(clock, silent)) >= 5_000);
  await msUntilClosed(clock, slow);
  t.match(await ask(), { status: 200 }, 'others notice nothing');
  quick.write(HEAD.slice(0, -1));
  t.ok((await msUntilClosed(clock, quick)) >= 60_000);
});

t.test('answers one after the other what is asked at once, and closes a connection that asks too much', async (t) => {
  let [now, most] = [0, 0];
  const { port } = await httpProgram(t, async (request, response) => {
    now += 1;
    most = Math.max(most, now);
    await turn();
    now -= 1;
    response.end(request.url);
  });
  const rig = await started(t, { programPort: port });
  const asked = (paths: number) =>
    Array.from({ length: paths }, (_, at) => HEAD.replace('/', `/q${at}.`)).join('') +
    HEAD.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
  const all = await rawExchange(rig, asked(9));
  t.same(all.match(/q\d\./g), ['q0.', 'q1.', 'q2.', 'q3.', 'q4.', 'q5.', 'q6.', 'q7.', 'q8.']);
  t.equal(most, 1);
  t.notMatch(await rawExchange(rig, asked(40)), /q39\./);
});

t.test('says in front of each request whose connection it is, where the program wants to know', async (t) => {
  const { port, sockets } = await byteProgram(t, () => undefined);
  const rig = await started(t, { programPort: port, proxyProtocol: true });
  const client = await rig.secure();
  client.write(HEAD);
  while (sockets.length === 0) await turn();
  const first = await readBytes(sockets[0] as Socket, 28);
  t.match(parseProxyHeader(first), { source: { address: HERE } });
});

t.test('answers what is under way when it drains, and takes no more', async (t) => {
  const answers: (() => void)[] = [];
  const { port } = await httpProgram(t, (_request, response) => void answers.push(() => response.end('last')));
  const rig = await started(t, { programPort: port });
  const [idle, busy] = [await rig.secure(), await rig.secure()];
  const answer = clientOver(busy)();
  while (answers.length === 0) await turn();
  rig.ports.drain();
  await closed(idle);
  answers[0]?.();
  t.match(await answer, { status: 200, body: 'last' });
  await closed(busy);
});
