/** The parent's public port: nothing is dialled before a client has said what it wants, and silence keeps nobody out. */
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import t from 'tap';
import type { RouteLimits } from '../../relay/route.ts';
import { EPOLLIN, EPOLLOUT } from '../../system/libc/socket-constants.ts';
import { CANCEL_REQUEST, GSS_REQUEST, SSL_REQUEST, STARTUP_MESSAGE, TLS_RECORD } from './support/postgres-packets.ts';
import { countersOf, route, settled, startRelay, until } from './support/relay.ts';
import { ScriptedEngine } from './support/scripted-engine.ts';
import { ScriptedSocket } from './support/scripted-sockets.ts';
import { closed, dial, dialFrom, readAll, readBytes, serve, serveEcho } from './support/sockets.ts';

interface Test {
  teardown(fn: () => unknown): void;
}

async function setScene(t: Test, limits: Partial<RouteLimits> = {}) {
  const { relay, log } = await startRelay(t);
  const server = await serveEcho(t);
  const listen = await relay.addRoute(
    route({ connect: server.endpoint, preface: { kind: 'postgres-opening' }, limits }),
  );
  return { relay, log, server, listen };
}

/** Whether a client that asks for a session gets through to the server. */
async function isServed(client: Socket): Promise<boolean> {
  client.write(SSL_REQUEST);
  return (await readBytes(client, SSL_REQUEST.length)).equals(SSL_REQUEST);
}

for (const [name, bytes] of Object.entries({ SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST, STARTUP_MESSAGE, TLS_RECORD })) {
  t.test(`passes ${name} on unchanged, whether it comes whole or byte by byte`, async (t) => {
    const { listen, relay, server } = await setScene(t);
    const whole = await dial(t, listen);
    whole.end(bytes);
    t.same(await readAll(whole), bytes);
    const slow = await dial(t, listen);
    slow.setNoDelay(true);
    for (const byte of bytes.subarray(0, 7)) {
      slow.write(Buffer.of(byte));
      await settled(relay);
    }
    t.equal(server.sockets.length, 1, 'not dialled before the eighth byte');
    slow.end(bytes.subarray(7));
    t.same(await readAll(slow), bytes);
    await until(() => countersOf(relay).active === 0);
    t.match(await settled(relay), { opened: 2, refusedPreface: 0, silent: 0, pending: 0 });
  });
}

t.test('refuses what is no PostgreSQL with an ErrorResponse, counts it, and does not dial', async (t) => {
  const { listen, relay, log, server } = await setScene(t);
  const client = await dial(t, listen);
  client.write('GET / HTTP/1.1\r\n\r\n');
  t.match((await readAll(client)).toString('latin1'), /^E.*FATAL.*08P01/s);
  t.match(await settled(relay), { refusedPreface: 1, opened: 0, active: 0 });
  t.match((await log.until('relay.refused-preface')).fields, { reason: 'not-postgres', address: '127.0.0.1' });
  t.equal(server.sockets.length, 0);
});

t.test('closes a client that is silent, or not done with eight bytes, for the preface time-out', async (t) => {
  const { listen, relay, server } = await setScene(t, { prefaceTimeoutMs: 60 });
  const [silent, slow] = [await dial(t, listen), await dial(t, listen)];
  slow.write(SSL_REQUEST.subarray(0, 7));
  t.match((await readAll(silent)).toString('latin1'), /did not come in time/);
  t.match((await readAll(slow)).toString('latin1'), /did not come in time/);
  t.match(await settled(relay), { refusedPreface: 2, silent: 0, active: 0 });
  t.equal(server.sockets.length, 0);
});

t.test('takes a client that leaves without a word for a health check: not dialled, not logged, no error', async (t) => {
  const { listen, relay, log, server } = await setScene(t);
  (await dial(t, listen)).end();
  (await dial(t, listen)).resetAndDestroy();
  (await dial(t, listen)).end(SSL_REQUEST.subarray(0, 3));
  await until(() => countersOf(relay).accepted === 3 && countersOf(relay).active === 0);
  t.match(await settled(relay), { errors: 0, refusedPreface: 0, shed: 0, shedSilent: 0, connectFailed: 0 });
  t.equal(server.sockets.length, 0);
  t.same(
    log.records.filter(({ level }) => level !== 'info'),
    [],
  );
});

t.test('sheds the oldest silent connection over maxSilent, and takes the new one', async (t) => {
  const { listen, relay, log } = await setScene(t, { maxSilent: 2 });
  const [oldest, older] = [await dial(t, listen), await dial(t, listen)];
  await until(() => countersOf(relay).silent === 2);
  const newest = await dial(t, listen);
  t.equal(await closed(oldest), 'end');
  t.ok((await isServed(newest)) && (await isServed(older)), 'the others are served');
  t.match(await settled(relay), { shed: 0, shedSilent: 1, opened: 2, silent: 0 });
  t.match((await log.until('relay.shed')).fields, { reason: 'maxSilent', address: '127.0.0.1' });
});

t.test(
  'gives places to those that speak: silent connections hold none, and established ones keep theirs',
  async (t) => {
    const { listen, relay, log } = await setScene(t, { maxConnections: 2 });
    const established = await dial(t, listen);
    t.ok(await isServed(established));
    const silent = await dial(t, listen);
    await until(() => countersOf(relay).silent === 1);
    t.ok(await isServed(await dial(t, listen)), 'the second place was free');
    silent.write(SSL_REQUEST);
    t.equal(await closed(silent), 'end', 'there is no third');
    t.match(await settled(relay), { shed: 1, shedSilent: 0, active: 2, silent: 0 });
    t.match((await log.until('relay.shed')).fields, { reason: 'maxConnections' });
    established.write('still here');
    t.equal((await readBytes(established, 10)).toString(), 'still here');
  },
);

t.test('lets the silence of one address push out its own connections only', async (t) => {
  const { listen, relay, log } = await setScene(t, { maxSilentPerAddress: 3 });
  const quiet = await dialFrom(t, listen, '127.0.0.1');
  const flood: Socket[] = [];
  for (let index = 0; index < 20; index++) flood.push(await dialFrom(t, listen, '127.0.0.2'));
  await until(() => countersOf(relay).accepted === 21);
  t.match(await settled(relay), { silent: 4, shedSilent: 17, shed: 0 });
  t.match((await log.until('relay.shed')).fields, { reason: 'maxSilentPerAddress', address: '127.0.0.2' });
  t.ok(await isServed(quiet), 'the slow client at another address is served');
  for (const last of flood.slice(-3)) t.ok(await isServed(last), 'and the newest of the flood');
});

t.test('holds one address to its share of established connections, and others not', async (t) => {
  const { listen, relay, log } = await setScene(t, { maxConnections: 10, maxConnectionsPerAddress: 2 });
  const first = await dialFrom(t, listen, '127.0.0.2');
  t.ok((await isServed(first)) && (await isServed(await dialFrom(t, listen, '127.0.0.2'))));
  const third = await dialFrom(t, listen, '127.0.0.2');
  third.write(SSL_REQUEST);
  t.equal(await closed(third), 'end');
  t.match((await log.until('relay.shed')).fields, { reason: 'maxConnectionsPerAddress', address: '127.0.0.2' });
  t.ok(await isServed(await dialFrom(t, listen, '127.0.0.3')));
  first.destroy();
  await until(() => countersOf(relay).active === 2);
  t.ok(await isServed(await dialFrom(t, listen, '127.0.0.2')), 'a place is free again');
});

t.test('counts clients over IPv6 by their /64', async (t) => {
  const { relay, log } = await startRelay(t);
  const server = await serveEcho(t);
  const preface = { kind: 'postgres-opening' } as const;
  const listen = await relay.addRoute(
    route({ listen: 'tcp://[::1]:0', connect: server.endpoint, preface, limits: { maxSilentPerAddress: 1 } }),
  );
  const first = await dial(t, listen);
  const second = await dial(t, listen);
  t.equal(await closed(first), 'end');
  t.match((await log.until('relay.shed')).fields, { reason: 'maxSilentPerAddress', address: '0:0:0:0::/64' });
  t.ok(await isServed(second));
});

t.test('serves 50 of 50 sessions through thousands of silent connections that come and stay', async (t) => {
  const limits = { maxConnections: 500, maxPending: 100, maxSilent: 2000, maxSilentPerAddress: 1000 };
  const { listen, relay } = await setScene(t, limits);
  if (listen.kind !== 'tcp') throw new Error('tcp only');
  const { host, port } = listen;
  const flood: Socket[] = [];
  t.teardown(() => {
    for (const socket of flood) socket.destroy();
  });
  let isOver = false;
  const flooding = (async () => {
    while (!isOver) {
      for (let index = 0; index < 5; index++) flood.push(connect({ host, port }).on('error', () => undefined));
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await until(() => countersOf(relay).accepted >= 2000);
  let served = 0;
  for (let session = 0; session < 50; session++) {
    const client = await dial(t, listen);
    if (await isServed(client)) served += 1;
  }
  isOver = true;
  await flooding;
  t.equal(served, 50);
  t.match(await settled(relay), { opened: 50, shed: 0 });
  t.ok(countersOf(relay).shedSilent > 100, `${countersOf(relay).shedSilent} silent ones were shed`);
  t.ok(countersOf(relay).silent <= 1000);
});

t.test('sheds nobody whose first bytes have come, though the loop has not heard of them yet', async (t) => {
  const limits = { maxSilent: 1 };
  const preface = { kind: 'postgres-opening' } as const;
  const relay = new ScriptedEngine(route({ connect: 'tcp://192.0.2.1:5432', preface, limits }));
  const spoken = relay.connect(new ScriptedSocket(), '192.0.2.9');
  spoken.arriving = [SSL_REQUEST];
  const silent = relay.connect(new ScriptedSocket(), '192.0.2.9');
  t.same(spoken.ends, [], 'in the same turn, before its event');
  t.match(relay.counters, { silent: 1, pending: 2, shedSilent: 0 });
  relay.connect(new ScriptedSocket(), '192.0.2.10');
  t.same([spoken.ends, silent.ends], [[], ['closed']], 'the silent one goes');
});

t.test('counts what a last look finds to be no PostgreSQL as that, and makes room all the same', async (t) => {
  const preface = { kind: 'postgres-opening' } as const;
  const relay = new ScriptedEngine(route({ connect: 'tcp://192.0.2.1:5432', preface, limits: { maxSilent: 1 } }));
  const noise = relay.connect();
  noise.arriving = [Buffer.from('GET / HTTP/1.1')];
  relay.connect();
  t.match(relay.counters, { refusedPreface: 1, shedSilent: 0, shed: 0, active: 1, silent: 1 });
  t.match(noise.ends, ['shut', 'closed']);
});

t.test('takes nobody while as many as allowed are being connected: none of them is silent', async (t) => {
  const preface = { kind: 'postgres-opening' } as const;
  const relay = new ScriptedEngine(route({ connect: 'tcp://192.0.2.1:5432', preface, limits: { maxPending: 1 } }));
  const dialling = new ScriptedSocket();
  dialling.arriving = [SSL_REQUEST];
  relay.connect(dialling);
  const next = new ScriptedSocket();
  next.arriving = [SSL_REQUEST];
  t.same(relay.connect(next).ends, ['shut', 'closed']);
  t.same(dialling.ends, []);
  t.match(relay.counters, { shed: 1, shedSilent: 0, pending: 1, silent: 0 });
});

t.test('serves a client that waits for the answer to its first eight bytes', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serve(t, (socket) => socket.once('data', () => socket.write('S')));
  const listen = await relay.addRoute(route({ connect: server.endpoint, preface: { kind: 'postgres-opening' } }));
  const client = await dial(t, listen);
  client.write(SSL_REQUEST);
  t.equal((await readBytes(client, 1)).toString(), 'S');
});

/** A house of two, both opened and answered, of which the first has sent so many bytes behind that. */
function fullHouse(firstBytes: number) {
  const preface = { kind: 'postgres-opening' } as const;
  const limits = { maxConnections: 2, prefaceTimeoutMs: 1_000 };
  const relay = new ScriptedEngine(route({ connect: 'tcp://192.0.2.1:5432', preface, limits }));
  const ups = [new ScriptedSocket(), new ScriptedSocket()];
  relay.sockets.upstreams.push(...ups);
  const downs = ups.map(() => relay.connect(speaking(), '192.0.2.9'));
  for (const up of ups) {
    relay.turn([up, EPOLLOUT]);
    up.arriving = [Buffer.alloc(600)];
    relay.turn([up, EPOLLIN]);
  }
  for (const [index, bytes] of [firstBytes, 600].entries()) {
    const down = downs[index] ?? new ScriptedSocket();
    down.arriving = [Buffer.alloc(bytes, 0x16)];
    relay.turn([down, EPOLLIN]);
  }
  return { relay, downs };
}

function speaking(): ScriptedSocket {
  const socket = new ScriptedSocket();
  socket.arriving = [SSL_REQUEST];
  return socket;
}

t.test('sheds the oldest that asked for a session and did not come to one in time', async (t) => {
  const { relay, downs } = fullHouse(511);
  relay.pass(999);
  t.same(relay.connect(speaking()).ends, ['shut', 'closed'], 'it still has time');
  relay.pass(1);
  t.same(relay.connect(speaking()).ends, []);
  t.same([downs[0]?.ends, downs[1]?.ends], [['closed'], []]);
  t.match(relay.counters, { shed: 1, shedSilent: 1, active: 2 });
});

t.test('sheds no session, however old and idle', async (t) => {
  const { relay, downs } = fullHouse(512);
  relay.pass(3_600_000);
  for (let round = 0; round < 2; round++) t.same(relay.connect(speaking()).ends, ['shut', 'closed']);
  t.same([downs[0]?.ends, downs[1]?.ends], [[], []]);
  t.match(relay.counters, { shed: 2, shedSilent: 0, active: 2 });
});
