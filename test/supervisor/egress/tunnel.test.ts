/** CONNECT through both ends: what passes, what is refused and how, and how a tunnel ends. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { LOOPBACK, startEnds } from './support/both-ends.ts';
import { connectTo, everything, openTunnel, rest } from './support/raw-client.ts';
import { listenAnywhere } from './support/targets.ts';

const NAMES = { 'db.example': ['127.0.0.1'] };

t.test('connects to an allowed name, and carries bytes and both ends of the stream', async (t) => {
  const target = await listenAnywhere(
    t,
    (socket) => void everything(socket).then((all) => socket.end(all.toUpperCase())),
  );
  const { port } = await startEnds(t, { enclave: { allow: [`db.example:${target}`, LOOPBACK] }, names: NAMES });
  const { status, socket } = await openTunnel(port, `db.example:${target}`);
  t.equal(status, 200);
  socket.end('hello');
  t.equal(await rest(socket), 'HELLO', 'the target saw the end of one direction, and answered in the other');
});

t.test('carries what either side says first', async (t) => {
  const target = await listenAnywhere(t, (socket) => socket.end('220 ready'));
  const { port } = await startEnds(t, { enclave: { allow: [`db.example:${target}`, LOOPBACK] }, names: NAMES });
  const { socket } = await openTunnel(port, `DB.Example.:${target}`);
  t.equal(await rest(socket), '220 ready');
});

t.test('carries what a program sends before it is told that the target is there', async (t) => {
  const target = await listenAnywhere(t, (socket) => void everything(socket).then((all) => socket.end(`got ${all}`)));
  const { port } = await startEnds(t, { enclave: { allow: [`db.example:${target}`, LOOPBACK] }, names: NAMES });
  for (const early of ['early', '']) {
    const socket = await connectTo(port);
    socket.end(`CONNECT db.example:${target} HTTP/1.1\r\nHost: x\r\n\r\n${early}`);
    t.equal(await rest(socket), `HTTP/1.1 200 Connection established\r\n\r\ngot ${early}`);
  }
});

t.test('is 403 for what the enclave’s list does not name, and says what to do', async (t) => {
  const { port, host, logger } = await startEnds(t, { enclave: { allow: ['db.example'] } });
  const { status, head, socket } = await openTunnel(port, 'other.example:443');
  const { error } = JSON.parse(await rest(socket));
  t.equal(status, 403);
  t.match(head, /Proxy-Status: acra-enclave; error=http_request_denied; details="EGRESS_UNLISTED"/);
  t.match(error, { code: 'EGRESS_UNLISTED', found: 'other.example:443', action: /add a rule/ });
  t.same(host.status, { open: 0, outcomes: {} }, 'the parent was not asked');
  t.match(logger.records, [{ event: 'egress.refused', fields: { code: 'EGRESS_UNLISTED' } }]);
});

t.test('is 403 with a code of its own where only the host’s list refuses', async (t) => {
  const host = { allow: ['db.example:1-100'], deny: ['db.example:22'] };
  const { port, logger } = await startEnds(t, { enclave: { allow: ['db.example:1-65535'] }, host });
  for (const [wanted, code] of [
    [443, 'EGRESS_HOST_UNLISTED'],
    [22, 'EGRESS_HOST_DENIED'],
  ] as const) {
    const { status, socket } = await openTunnel(port, `db.example:${wanted}`);
    t.equal(status, 403);
    const found = `db.example:${wanted}`;
    t.match(JSON.parse(await rest(socket)), { error: { code, found } });
    t.match(logger.records.at(-1), { event: 'egress.refused', fields: { code, found } });
  }
});

t.test('is 403 where a name leads to an address that nobody named', async (t) => {
  const names = {
    'imds.example': ['169.254.169.254'],
    'imds6.example': ['fd00:ec2::254'],
    'mapped.example': ['::ffff:169.254.169.254'],
    'nat64.example': ['64:ff9b::127.0.0.1'],
    'self.example': ['127.0.0.1'],
    'self6.example': ['::1'],
    'any.example': ['0.0.0.0'],
    'many.example': ['224.0.0.1', 'ff02::1'],
    'denied.example': ['10.1.2.3'],
  };
  const enclave = { allow: ['**.example', '0.0.0.0/0:1-65535', '[::/0]:1-65535'], deny: ['10.1.0.0/16'] };
  const { port } = await startEnds(t, { enclave, names });
  for (const name of Object.keys(names)) {
    const { status, socket } = await openTunnel(port, `${name}:443`);
    t.equal(status, 403, name);
    const code = name === 'denied.example' ? 'EGRESS_HOST_DENIED' : 'EGRESS_ADDRESS';
    t.match(JSON.parse(await rest(socket)), { error: { code } }, name);
  }
});

t.test('dials only addresses that were judged, of several that a name has', async (t) => {
  const target = await listenAnywhere(t, (socket) => socket.end('here'));
  const names = { 'db.example': ['169.254.169.254', '0.0.0.0', '127.0.0.1'] };
  const { port } = await startEnds(t, { enclave: { allow: [`db.example:${target}`, LOOPBACK] }, names });
  const { socket } = await openTunnel(port, `db.example:${target}`);
  t.equal(await rest(socket), 'here');
});

t.test('resolves a name once for a connection', async (t) => {
  const target = await listenAnywhere(t, (socket) => socket.end('here'));
  const asked: string[] = [];
  const addresses = ['127.0.0.1', '169.254.169.254'];
  const resolver = {
    resolve: async (host: string) => {
      asked.push(host);
      return { addresses: [{ family: 4 as const, address: addresses.shift() ?? '169.254.169.254' }], ttlMs: 0 };
    },
  };
  const { port } = await startEnds(t, { enclave: { allow: [`db.example:${target}`, LOOPBACK] }, resolver });
  const { socket } = await openTunnel(port, `db.example:${target}`);
  t.equal(await rest(socket), 'here', 'a name that leads elsewhere a moment later gains nothing');
  t.same(asked, ['db.example']);
  const second = await openTunnel(port, `db.example:${target}`);
  t.equal(second.status, 403);
  second.socket.destroy();
});

t.test('is 502 for what does not resolve or listen, and 504 for what does not answer', async (t) => {
  const free = createServer();
  free.listen({ host: '127.0.0.1', port: 0 });
  await once(free, 'listening');
  const { port: unused } = free.address() as { port: number };
  free.close();
  await once(free, 'close');
  const resolver = {
    resolve: (host: string) =>
      host === 'silent.example'
        ? new Promise<never>(() => undefined)
        : host === 'none.example'
          ? Promise.reject(Object.assign(new TypeError('none'), { code: 'ENOTFOUND' }))
          : Promise.resolve({ addresses: [{ family: 4 as const, address: '127.0.0.1' }], ttlMs: 0 }),
  };
  const enclave = { allow: ['**.example:1-65535', LOOPBACK], limits: { connectTimeoutMs: 300 } };
  const { port } = await startEnds(t, { enclave, resolver, hostLimits: { connectTimeoutMs: 50 } });
  for (const [authority, status, code] of [
    ['none.example:443', 502, 'EGRESS_UNRESOLVED'],
    [`closed.example:${unused}`, 502, 'EGRESS_UNREACHABLE'],
    ['silent.example:443', 504, 'EGRESS_TIMEOUT'],
  ] as const) {
    const answer = await openTunnel(port, authority);
    t.equal(answer.status, status, authority);
    t.match(JSON.parse(await rest(answer.socket)), { error: { code } });
  }
});

t.test('is 502 while host-proxy is away, and works when it is back', async (t) => {
  const target = await listenAnywhere(t, (socket) => socket.end('here'));
  const ends = await startEnds(t, { enclave: { allow: [`db.example:${target}`, LOOPBACK] }, names: NAMES });
  await ends.host.stop();
  const { status, socket } = await openTunnel(ends.port, `db.example:${target}`);
  t.equal(status, 502);
  t.match(JSON.parse(await rest(socket)), { error: { code: 'EGRESS_PARENT' } });
  await ends.host.start(new AbortController().signal);
  const again = await openTunnel(ends.port, `db.example:${target}`);
  t.equal(await rest(again.socket), 'here');
});

t.test('ends a tunnel when host-proxy goes away in the middle', async (t) => {
  const target = await listenAnywhere(t, () => undefined);
  const ends = await startEnds(t, { enclave: { allow: [`db.example:${target}`, LOOPBACK] }, names: NAMES });
  const { socket } = await openTunnel(ends.port, `db.example:${target}`);
  const after = rest(socket);
  await ends.host.stop();
  t.equal(await after, '', 'the program noticed');
});

t.test('ends tunnels that are silent for the idle time', async (t) => {
  const target = await listenAnywhere(t, () => undefined);
  const enclave = { allow: [`db.example:${target}`, LOOPBACK], limits: { idleTimeoutMs: 50 } };
  const { port, enclave: own } = await startEnds(t, { enclave, names: NAMES });
  const { socket } = await openTunnel(port, `db.example:${target}`);
  t.equal(await rest(socket), '');
  while (own.samples.some(({ name, value }) => name === 'egress_connections' && value > 0)) await turn();
});

t.test('is 503 over the limit of connections that are being made', async (t) => {
  const target = await listenAnywhere(t, () => undefined);
  const enclave = { allow: [`db.example:${target}`, LOOPBACK], limits: { maxPending: 1 } };
  const hung = Promise.withResolvers<never>();
  const { port } = await startEnds(t, { enclave, resolver: { resolve: () => hung.promise } });
  const first = openTunnel(port, `db.example:${target}`);
  const second = await openTunnel(port, `db.example:${target}`);
  t.equal(second.status, 503);
  t.match(JSON.parse(await rest(second.socket)), { error: { code: 'EGRESS_LIMIT' } });
  hung.reject(new TypeError('for the test'));
  (await first).socket.destroy();
});

const MEGABYTE = 1024 * 1024;

t.test('carries 100 MB unchanged, and holds little of it while nobody reads', async (t) => {
  const sent = { hash: createHash('sha256'), bytes: 0 };
  const block = randomBytes(MEGABYTE);
  const target = await listenAnywhere(t, (socket) => void send(socket));
  async function send(socket: Socket) {
    for (let count = 0; count < 100; count += 1) {
      block.writeUInt32BE(count, 0);
      const copy = Buffer.from(block);
      sent.hash.update(copy);
      const goesOn = socket.write(copy);
      if (!goesOn) await once(socket, 'drain');
      sent.bytes += copy.length;
    }
    socket.end();
  }
  const { port } = await startEnds(t, { enclave: { allow: [`db.example:${target}`, LOOPBACK] }, names: NAMES });
  const { socket } = await openTunnel(port, `db.example:${target}`);
  for (let turns = 0; turns < 2_000; turns += 1) await turn();
  t.ok(sent.bytes < 20 * MEGABYTE, `${sent.bytes} bytes are under way`);
  const received = { hash: createHash('sha256'), bytes: 0 };
  for await (const chunk of socket) {
    received.hash.update(chunk as Buffer);
    received.bytes += (chunk as Buffer).length;
  }
  t.equal(received.bytes, 100 * MEGABYTE);
  t.equal(received.hash.digest('hex'), sent.hash.digest('hex'));
});

t.test('carries a thousand tunnels at once', async (t) => {
  const target = await listenAnywhere(t, (socket) => void everything(socket).then((all) => socket.end(all)));
  const limits = { maxConnections: 1_100, maxPending: 1_100 };
  const enclave = { allow: [`db.example:${target}`, LOOPBACK], limits };
  const { port, enclave: own } = await startEnds(t, { enclave, names: NAMES });
  const tunnels = await Promise.all(Array.from({ length: 1_000 }, () => openTunnel(port, `db.example:${target}`)));
  t.same(new Set(tunnels.map(({ status }) => status)), new Set([200]));
  t.match(own.samples, [{ name: 'egress_requests_total', labels: { outcome: 'connected' }, value: 1_000 }]);
  const answers = await Promise.all(
    tunnels.map(({ socket }, index) => {
      socket.end(`tunnel ${index}`);
      return rest(socket);
    }),
  );
  t.ok(
    answers.every((answer, index) => answer === `tunnel ${index}`),
    'each its own bytes',
  );
});
