/** Whose connection it is, on routes of any protocol: told by the parent, taken off or passed on in the enclave. */
import type { Socket } from 'node:net';
import type { Test } from 'tap';
import t from 'tap';
import type { RouteLimits } from '../../relay/route.ts';
import { encodeProxyHeader, parseProxyHeader } from '../../wire/proxy-protocol.ts';
import { noise } from './support/noise.ts';
import { countersOf, route, settled, startRelay, until } from './support/relay.ts';
import { closed, dial, dialFrom, readAll, readBytes, serve, serveEcho } from './support/sockets.ts';

const CLIENT = { address: '2001:db8::7', port: 40_000 };
const BALANCER = '127.0.0.9';
const BALANCERS = ['127.0.0.8/30'];
const GREETING = Buffer.from('220 speaks first\r\n');
const HEADER = encodeProxyHeader(CLIENT);

/** Both relays, one behind the other, before a server that speaks first and echoes. */
async function bothEnds(t: Test, isPassedOn: boolean, limits: Partial<RouteLimits> = {}) {
  const { relay, log } = await startRelay(t);
  const server = await serve(t, (socket) => {
    socket.write(GREETING);
    socket.pipe(socket);
  });
  const takes = { kind: 'takes-source', isPassedOn } as const;
  const inside = await relay.addRoute(route({ label: 'inside', connect: server.endpoint, preface: takes }));
  const tells = { kind: 'tells-source', balancers: BALANCERS } as const;
  const listen = await relay.addRoute(route({ connect: inside, preface: tells, limits }));
  return { relay, log, server, listen, inside };
}

async function echoed(client: Socket, bytes: Buffer) {
  client.end(bytes);
  const all = await readAll(client);
  t.same(all.subarray(0, GREETING.length), GREETING);
  return all.subarray(GREETING.length);
}

t.test('keeps every byte where nobody is told, and lets a server speak first', async (t) => {
  const { listen } = await bothEnds(t, false);
  const bytes = noise('source', 300_000);
  t.same(await echoed(await dialFrom(t, listen, '127.0.0.2'), bytes), bytes);
});

t.test('tells the server whose connection it is, in front of every byte', async (t) => {
  const { listen } = await bothEnds(t, true);
  const client = await dialFrom(t, listen, '127.0.0.2');
  const { localPort } = client;
  const all = await echoed(client, HEADER);
  const header = parseProxyHeader(all);
  t.match(header, { kind: 'proxied', source: { address: '127.0.0.2', port: localPort } });
  t.same(all.subarray('headerBytes' in header ? header.headerBytes : 0), HEADER, 'what a client writes is no header');
});

t.test('tells for whom a load balancer connects, once it has said so', async (t) => {
  const { listen, log, server } = await bothEnds(t, true);
  const client = await dialFrom(t, listen, BALANCER);
  for (const byte of HEADER) client.write(Buffer.of(byte));
  const all = await echoed(client, Buffer.from('x'));
  t.match(parseProxyHeader(all), { kind: 'proxied', source: CLIENT });
  const dialled = server.sockets.length;
  const bare = await dialFrom(t, listen, BALANCER);
  bare.write('GET / HTTP/1.1\r\n\r\n');
  await closed(bare);
  t.equal(bare.bytesRead, 0, 'refused without a word');
  t.match((await log.until('relay.refused-preface')).fields, { reason: 'no-proxy-header', address: BALANCER });
  t.equal(server.sockets.length, dialled);
});

t.test('waits for a load balancer as long as for a preface, which holds no place', async (t) => {
  const { listen, relay, log } = await bothEnds(t, false, { prefaceTimeoutMs: 60, maxConnections: 1 });
  const silent = await dialFrom(t, listen, BALANCER);
  await until(() => countersOf(relay).silent === 1);
  t.same(await readBytes(await dialFrom(t, listen, '127.0.0.2'), GREETING.length), GREETING);
  t.equal((await readAll(silent)).length, 0);
  t.match((await log.until('relay.refused-preface')).fields, { reason: 'time-out' });
});

t.test('counts connections for whom a load balancer names, and closes what is too much', async (t) => {
  const { listen, relay, log } = await bothEnds(t, false, { maxConnectionsPerAddress: 1 });
  const connectFor = async (address: string) => {
    const socket = await dialFrom(t, listen, BALANCER);
    socket.write(encodeProxyHeader({ address, port: 1 }));
    return socket;
  };
  await readBytes(await connectFor('198.51.100.7'), GREETING.length);
  await readBytes(await connectFor('198.51.100.8'), GREETING.length);
  t.equal((await readAll(await connectFor('198.51.100.7'))).length, 0);
  t.match((await log.until('relay.shed')).fields, { reason: 'maxConnectionsPerAddress', address: '198.51.100.7' });
  t.match(await settled(relay), { active: 2, silent: 0, opened: 2 });
});

t.test('rejects in the enclave what has no header in front, and one that does not end', async (t) => {
  const { relay, log } = await startRelay(t);
  const server = await serveEcho(t);
  const limits = { prefaceTimeoutMs: 60 };
  const takes = { kind: 'takes-source', isPassedOn: true } as const;
  const listen = await relay.addRoute(route({ connect: server.endpoint, preface: takes, limits }));
  const bare = await dial(t, listen);
  bare.write('SSH-2.0-client\r\n');
  await closed(bare);
  const slow = await dial(t, listen);
  slow.write(HEADER.subarray(0, HEADER.length - 1));
  await closed(slow);
  const left = await dial(t, listen);
  left.end(HEADER.subarray(0, 20));
  await closed(left);
  t.same(
    log.of('relay.refused-preface').map(({ fields }) => fields['reason']),
    ['no-proxy-header', 'time-out'],
  );
  t.match(await settled(relay), { refusedPreface: 2, gone: 1, opened: 0, active: 0 });
  t.equal(server.sockets.length, 0);
});

t.test('passes on what the header says, and nothing else that it carries', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  const takes = { kind: 'takes-source', isPassedOn: true } as const;
  const listen = await relay.addRoute(route({ connect: server.endpoint, preface: takes }));
  const vector = Buffer.from('e000026869', 'hex');
  const carrying = Buffer.concat([HEADER, vector]);
  carrying.writeUInt16BE(HEADER.length - 16 + vector.length, 14);
  const client = await dial(t, listen);
  client.end(Buffer.concat([carrying, Buffer.from('bytes')]));
  t.same(await readAll(client), Buffer.concat([HEADER, Buffer.from('bytes')]));
});
