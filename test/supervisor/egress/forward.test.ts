/** Absolute http:// URLs through both ends: what reaches the target, what comes back, and what is refused. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import t from 'tap';
import { LOOPBACK, startEnds } from './support/both-ends.ts';
import { connectTo, everything, rest, say } from './support/raw-client.ts';
import { listenAnywhere } from './support/targets.ts';

const NAMES = { 'web.example': ['127.0.0.1'] };
type Test = { teardown(fn: () => unknown): void };

async function webServer(t: Test, listener: RequestListener) {
  const connections: Socket[] = [];
  const server = createServer(listener);
  server.on('connection', (socket) => connections.push(socket));
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, connections };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Answers with what it was asked. */
const echo: RequestListener = (request, response) => {
  void bodyOf(request).then((body) => {
    const { method, url, rawHeaders } = request;
    response.setHeader('Set-Cookie', ['a=1', 'b=2']);
    response.end(JSON.stringify({ method, url, rawHeaders, body }));
  });
};

async function echoEnds(t: Test) {
  const { port: target, connections } = await webServer(t, echo);
  const ends = await startEnds(t, { enclave: { allow: [`web.example:${target}`, LOOPBACK] }, names: NAMES });
  return { ...ends, target, connections };
}

function jsonOf(answer: string) {
  return JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1));
}

t.test('passes a request on in origin form, with the target as its host, whatever the program wrote', async (t) => {
  const { port, target } = await echoEnds(t);
  const head = `GET http://WEB.example:${target}/a/b?c=d%20e HTTP/1.1\r\nHost: other.example\r\nAccept: x\r\nConnection: close\r\n\r\n`;
  const answer = await say(port, head);
  t.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
  t.match(answer, /Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n/);
  const { method, url, rawHeaders } = jsonOf(answer);
  t.same({ method, url }, { method: 'GET', url: '/a/b?c=d%20e' });
  t.same(rawHeaders, ['Host', `web.example:${target}`, 'Accept', 'x', 'Connection', 'keep-alive']);
});

t.test('strips what is for the proxy alone', async (t) => {
  const { port, target } = await echoEnds(t);
  const fields = [
    'Host: x',
    'Connection: close, X-Private',
    'X-Private: 1',
    'Proxy-Authorization: Basic eA==',
    'Proxy-Connection: keep-alive',
    'Keep-Alive: timeout=5',
    'TE: trailers',
    'Trailer: X',
    'Upgrade: h2c',
    'HTTP2-Settings: AA',
    'Expect: 100-continue',
    'X-Public: 2',
  ];
  const answer = await say(port, `GET http://web.example:${target}/ HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`);
  t.same(jsonOf(answer).rawHeaders, ['Host', `web.example:${target}`, 'X-Public', '2', 'Connection', 'keep-alive']);
});

t.test('frames a body anew, as long as it is or in chunks', async (t) => {
  const { port, target } = await echoEnds(t);
  const url = `http://web.example:${target}/`;
  const fixed = jsonOf(
    await say(port, `POST ${url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello`),
  );
  t.match(fixed, { method: 'POST', body: 'hello' });
  t.ok(fixed.rawHeaders.join().includes('Content-Length,5'));
  const chunks = '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n';
  const chunked = jsonOf(
    await say(
      port,
      `PUT ${url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
    ),
  );
  t.match(chunked, { method: 'PUT', body: 'hello world' });
  t.ok(chunked.rawHeaders.join().includes('Transfer-Encoding,chunked'));
  const none = jsonOf(await say(port, `DELETE ${url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`));
  t.match(none, { method: 'DELETE', body: '' });
});

t.test('answers Expect: 100-continue itself', async (t) => {
  const { port, target } = await echoEnds(t);
  const head = `POST http://web.example:${target}/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n`;
  const socket = await connectTo(port);
  socket.write(head);
  await once(socket, 'readable');
  t.equal(String(socket.read()), 'HTTP/1.1 100 Continue\r\n\r\n');
  socket.write('hi');
  t.match(jsonOf(await rest(socket)), { body: 'hi' });
});

t.test('takes a request byte by byte', async (t) => {
  const { port, target } = await echoEnds(t);
  const socket = await connectTo(port);
  const text = `POST http://web.example:${target}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello`;
  for (const byte of text) {
    socket.write(byte);
    await new Promise(setImmediate);
  }
  t.match(jsonOf(await rest(socket)), { body: 'hello' });
});

t.test('has a path for every URL', async (t) => {
  const { port, target } = await echoEnds(t);
  for (const [written, path] of [
    ['', '/'],
    ['?q', '/?q'],
    ['/', '/'],
    ['/a//b/../c', '/a//b/../c'],
    ['/?u=http://x@y', '/?u=http://x@y'],
  ])
    t.equal(
      jsonOf(
        await say(port, `GET http://web.example:${target}${written} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
      ).url,
      path,
    );
  t.equal(
    jsonOf(await say(port, `OPTIONS http://web.example:${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`))
      .url,
    '*',
  );
});

t.test('keeps connections for the same program and target, and shares them with nobody', async (t) => {
  const { port, target, connections } = await echoEnds(t);
  const get = `GET http://web.example:${target}/ HTTP/1.1\r\nHost: x\r\n\r\n`;
  const socket = await connectTo(port);
  for (let count = 0; count < 3; count += 1) {
    socket.write(get);
    await once(socket, 'readable');
    t.match(String(socket.read()), /^HTTP\/1\.1 200/);
  }
  t.equal(connections.length, 1);
  await say(port, get.replace('Host: x', 'Host: x\r\nConnection: close'));
  t.equal(connections.length, 2, 'another program’s connection has its own');
  socket.destroy();
  await Promise.all(connections.map((one) => one.closed || once(one, 'close')));
  t.pass('they end with the program’s');
});

t.test('judges every request of a connection', async (t) => {
  const { port, target } = await echoEnds(t);
  const get = (host: string) => `GET http://${host}:${target}/ HTTP/1.1\r\nHost: web.example:${target}\r\n\r\n`;
  const answers = await say(port, get('web.example') + get('other.example') + get('web.example'));
  t.same(answers.match(/HTTP\/1\.1 \d{3}/g), ['HTTP/1.1 200', 'HTTP/1.1 403']);
});

t.test('asks again when a kept connection had been closed by the target', async (t) => {
  let count = 0;
  const target = await listenAnywhere(t, (socket) => {
    socket.on('data', () => {
      count += 1;
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      // Closed behind the answer, although it said nothing of that.
      socket.end();
    });
  });
  const { port } = await startEnds(t, { enclave: { allow: [`web.example:${target}`, LOOPBACK] }, names: NAMES });
  const get = `GET http://web.example:${target}/ HTTP/1.1\r\nHost: x\r\n\r\n`;
  const answers = await say(port, get + get + get.replace('Host: x', 'Host: x\r\nConnection: close'));
  t.equal(answers.match(/200 OK/g)?.length, 3);
  t.ok(count >= 3);
});

t.test('asks a second time for nothing that it could do twice', async (t) => {
  const asked: string[] = [];
  const target = await listenAnywhere(t, (socket) => {
    socket.on('data', (chunk) => {
      asked.push(String(chunk).split(' ')[0] ?? '');
      // The second of each connection is done, and not answered.
      if (asked.length % 2 === 0) socket.resetAndDestroy();
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
  });
  const { port } = await startEnds(t, { enclave: { allow: [`web.example:${target}`, LOOPBACK] }, names: NAMES });
  const socket = await connectTo(port);
  const ask = (method: string) => socket.write(`${method} http://web.example:${target}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
  const answers = everything(socket);
  ask('GET');
  await once(socket, 'data');
  ask('POST');
  t.match(await answers, /200 OK.*HTTP\/1\.1 502 .*EGRESS_ANSWER/s);
  t.same(asked, ['GET', 'POST']);
  socket.destroy();
});

t.test('is 502 for a target that answers no HTTP, and cuts off an answer that breaks off', async (t) => {
  const bad = await listenAnywhere(t, (socket) => socket.end('SSH-2.0-x\r\n'));
  const broken = await listenAnywhere(t, (socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
      setImmediate(() => socket.destroy());
    });
  });
  const allow = [`web.example:${bad}`, `web.example:${broken}`, LOOPBACK];
  const { port } = await startEnds(t, { enclave: { allow }, names: NAMES });
  const answer = await say(port, `GET http://web.example:${bad}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
  t.match(answer, /^HTTP\/1\.1 502 /);
  t.equal(jsonOf(answer).error.code, 'EGRESS_ANSWER');
  const half = await say(
    port,
    `GET http://web.example:${broken}/ HTTP/1.1\r\nHost: x\r\n\r\nGET http://web.example:${broken}/ HTTP/1.1\r\nHost: x\r\n\r\n`,
  );
  t.equal(half.match(/HTTP\/1\.1/g)?.length, 1, 'nothing follows what is not whole');
});

t.test('is 502 for a target that changes the protocol unasked', async (t) => {
  const target = await listenAnywhere(t, (socket) => {
    socket.once('data', () =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nmore'),
    );
  });
  const { port } = await startEnds(t, { enclave: { allow: [`web.example:${target}`, LOOPBACK] }, names: NAMES });
  const answer = await say(port, `GET http://web.example:${target}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
  t.match(answer, /^HTTP\/1\.1 502 /);
  t.notMatch(answer, /101|more/);
});

t.test('strips from an answer what is for the proxy alone, and lets no framing through that is not read', async (t) => {
  const target = await listenAnywhere(t, (socket) => {
    socket.once('data', () =>
      socket.end(
        'HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: x\r\nProxy-Authenticate: Basic\r\nX-End: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      ),
    );
  });
  const { port } = await startEnds(t, { enclave: { allow: [`web.example:${target}`, LOOPBACK] }, names: NAMES });
  const answer = await say(port, `GET http://web.example:${target}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  t.match(answer, /X-End: 2\r\n/);
  t.notMatch(answer, /X-Hop|Proxy-Authenticate|Keep-Alive: x/i);
  t.match(answer, /\r\n2\r\nok\r\n0\r\n\r\n$/);
});

t.test('gives up a request whose program has gone', async (t) => {
  const gone = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const target = await listenAnywhere(t, (socket) => {
    socket.once('data', () => asked.resolve());
    void everything(socket).then(() => {
      gone.resolve();
      socket.destroy();
    });
  });
  const { port } = await startEnds(t, { enclave: { allow: [`web.example:${target}`, LOOPBACK] }, names: NAMES });
  const socket = await connectTo(port);
  socket.write(`GET http://web.example:${target}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
  await asked.promise;
  socket.resetAndDestroy();
  await gone.promise;
  t.pass('the target noticed');
});
