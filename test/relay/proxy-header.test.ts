/** Whose connection it is: said by load balancers to host-proxy, by host-proxy to the enclave, and by nobody else. */
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import t from 'tap';
import type { PrefacePolicy, RouteLimits } from '../../relay/route.ts';
import { encodeProxyHeader, parseProxyHeader } from '../../wire/proxy-protocol.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { SSL_REQUEST, STARTUP_MESSAGE } from './support/postgres-packets.ts';
import { countersOf, route, settled, startRelay, until } from './support/relay.ts';
import { closed, dial, dialFrom, readAll, readBytes, serve, serveEcho } from './support/sockets.ts';

const CLIENT = { address: '198.51.100.7', port: 40_000 };
const BALANCER = '127.0.0.9';
const BALANCERS = ['127.0.0.8/30'];
const TLS = { kind: 'postgres-tls', takesSource: true } as const;

async function publicPort(t: Test, preface: Partial<PrefacePolicy> = {}, limits: Partial<RouteLimits> = {}) {
  const { relay, log } = await startRelay(t);
  const server = await serveEcho(t);
  const spec = { kind: 'postgres-opening', tellsSource: true, balancers: BALANCERS, ...preface } as PrefacePolicy;
  const listen = await relay.addRoute(route({ connect: server.endpoint, preface: spec, limits }));
  return { relay, log, server, listen };
}

/** What the upstream got first: the header, and the client's own bytes. */
async function told(client: Socket, bytes: Buffer) {
  client.end(bytes);
  const all = await readAll(client);
  const header = parseProxyHeader(all);
  if (header.kind === 'more') throw new Error('no whole header');
  return { header, rest: all.subarray(header.headerBytes) };
}

t.test('tells the upstream whose connection it is, and then passes the bytes on', async (t) => {
  const { listen } = await publicPort(t);
  const client = await dialFrom(t, listen, '127.0.0.2');
  const { localPort } = client;
  const { header, rest } = await told(client, SSL_REQUEST);
  t.match(header, { kind: 'proxied', source: { address: '127.0.0.2', port: localPort } });
  t.same(rest, SSL_REQUEST);
});

t.test('says that it does not know, of a peer without an address', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  const path = join(temporaryFolder(t), 's');
  const preface = { kind: 'postgres-opening', tellsSource: true } as const;
  const listen = await relay.addRoute(route({ listen: `unix://${path}`, connect: server.endpoint, preface }));
  t.match(await told(await dial(t, listen), SSL_REQUEST), { header: { kind: 'local' }, rest: SSL_REQUEST });
});

t.test('tells whom a load balancer connects for, however the bytes come', async (t) => {
  const { listen, relay } = await publicPort(t);
  const header = encodeProxyHeader(CLIENT);
  const whole = await dialFrom(t, listen, BALANCER);
  t.match(await told(whole, Buffer.concat([header, SSL_REQUEST])), {
    header: { kind: 'proxied', source: CLIENT },
    rest: SSL_REQUEST,
  });
  const slow = await dialFrom(t, listen, BALANCER);
  const bytes = Buffer.concat([header, STARTUP_MESSAGE]);
  for (const byte of bytes.subarray(0, header.length + 7)) {
    slow.write(Buffer.of(byte));
    await settled(relay);
  }
  t.match(await told(slow, bytes.subarray(header.length + 7)), {
    header: { kind: 'proxied', source: CLIENT },
    rest: STARTUP_MESSAGE,
  });
});

t.test('takes a load balancer that connects for itself as that', async (t) => {
  const { listen } = await publicPort(t);
  const client = await dialFrom(t, listen, BALANCER);
  const { localPort } = client;
  const { header } = await told(client, Buffer.concat([encodeProxyHeader(undefined), SSL_REQUEST]));
  t.match(header, { kind: 'proxied', source: { address: BALANCER, port: localPort } });
});

t.test('refuses a load balancer that does not say for whom it connects, and dials nobody', async (t) => {
  const { listen, log, relay, server } = await publicPort(t);
  const client = await dialFrom(t, listen, BALANCER);
  client.write(SSL_REQUEST);
  t.match((await readAll(client)).toString('latin1'), /08P01.*must begin with a header of the PROXY protocol/s);
  t.match((await log.until('relay.refused-preface')).fields, { reason: 'no-proxy-header', address: BALANCER });
  t.match(await settled(relay), { refusedPreface: 1, opened: 0, silent: 0, active: 0 });
  t.equal(server.sockets.length, 0);
});

for (const [version, header] of [
  [1, Buffer.from('PROXY TCP4 198.51.100.7 192.0.2.1 40000 5432\r\n')],
  [2, encodeProxyHeader(CLIENT)],
] as const) {
  t.test(`refuses a header of version ${version} from anybody else, in words of its own`, async (t) => {
    const { listen, log, server } = await publicPort(t);
    const client = await dialFrom(t, listen, '127.0.0.2');
    client.write(Buffer.concat([header, SSL_REQUEST]));
    t.match((await readAll(client)).toString('latin1'), /08P01.*is not taken from this address/s);
    t.match((await log.until('relay.refused-preface')).fields, {
      reason: 'unexpected-proxy-header',
      address: '127.0.0.2',
    });
    t.equal(server.sockets.length, 0);
  });
}

t.test('gives the header as long as the first bytes, and holds no place meanwhile', async (t) => {
  const { listen, relay } = await publicPort(t, {}, { prefaceTimeoutMs: 60, maxConnections: 1 });
  const [silent, slow] = [await dialFrom(t, listen, BALANCER), await dialFrom(t, listen, BALANCER)];
  slow.write(encodeProxyHeader(CLIENT).subarray(0, 20));
  await until(() => countersOf(relay).silent === 2);
  t.match((await readAll(silent)).toString('latin1'), /did not come in time/);
  t.match((await readAll(slow)).toString('latin1'), /did not come in time/);
  t.match(await settled(relay), { refusedPreface: 2, shed: 0, silent: 0, active: 0 });
});

t.test('takes a load balancer that looks whether somebody listens for that: no error, not dialled', async (t) => {
  const { listen, log, relay, server } = await publicPort(t);
  (await dialFrom(t, listen, BALANCER)).end();
  (await dialFrom(t, listen, BALANCER)).end(encodeProxyHeader(undefined));
  (await dialFrom(t, listen, BALANCER)).end(encodeProxyHeader(CLIENT).subarray(0, 17));
  await until(() => countersOf(relay).accepted === 3 && countersOf(relay).active === 0);
  t.match(await settled(relay), { gone: 3, refusedPreface: 0, silent: 0 });
  t.equal(server.sockets.length, 0);
  t.same(log.of('relay.refused-preface'), []);
});

t.test('counts connections through a load balancer for whom they are, and not for it', async (t) => {
  const { listen, log, relay } = await publicPort(t, {}, { maxConnectionsPerAddress: 1, maxSilentPerAddress: 1 });
  const connectFor = async (address: string, bytes = SSL_REQUEST) => {
    const socket = await dialFrom(t, listen, BALANCER);
    socket.write(Buffer.concat([encodeProxyHeader({ address, port: 1 }), bytes]));
    return socket;
  };
  await readBytes(await connectFor('198.51.100.7'), 1);
  await readBytes(await connectFor('198.51.100.8'), 1);
  const second = await connectFor('198.51.100.7');
  t.match((await readAll(second)).toString('latin1'), /53300/);
  const shed = await log.until('relay.shed');
  t.match(shed.fields, { reason: 'maxConnectionsPerAddress', address: '198.51.100.7' });
  const half = SSL_REQUEST.subarray(0, 4);
  const silent = await connectFor('2001:db8::1', half);
  await until(() => countersOf(relay).silent === 1);
  const next = await connectFor('2001:db8::2', half);
  await closed(silent);
  t.match(await settled(relay), { silent: 1, shedSilent: 1, active: 3 });
  next.write(SSL_REQUEST.subarray(4));
  await readBytes(next, 1);
});

t.test('takes the header off before acra-server in line, which would not understand it', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serve(t, () => undefined);
  const listen = await relay.addRoute(route({ connect: server.endpoint, preface: TLS }));
  const client = await dial(t, listen);
  for (const byte of Buffer.concat([encodeProxyHeader(CLIENT), SSL_REQUEST])) {
    client.write(Buffer.of(byte));
    await settled(relay);
  }
  const upstream = await server.next();
  t.same(await readBytes(upstream, SSL_REQUEST.length), SSL_REQUEST);
  upstream.end('N');
  t.match((await readAll(client)).toString('latin1'), /does not offer it/);
});

t.test('refuses what the parent sends without a header, and what does not end', async (t) => {
  const { relay, log } = await startRelay(t);
  const server = await serve(t, () => undefined);
  const listen = await relay.addRoute(
    route({ connect: server.endpoint, preface: TLS, limits: { prefaceTimeoutMs: 60 } }),
  );
  const bare = await dial(t, listen);
  bare.write(SSL_REQUEST);
  t.match((await readAll(bare)).toString('latin1'), /must begin with a header/);
  const slow = await dial(t, listen);
  slow.write(encodeProxyHeader(CLIENT).subarray(0, 27));
  t.match((await readAll(slow)).toString('latin1'), /did not come in time/);
  await until(() => log.of('relay.refused-preface').length === 2);
  t.same(
    log.of('relay.refused-preface').map(({ fields }) => fields['reason']),
    ['no-proxy-header', 'time-out'],
  );
  t.equal(server.sockets.length, 0);
});
