/** Preface policy postgres-tls on real sockets: not one byte of a session in clear passes. */
import type { Socket } from 'node:net';
import type { Test as Tap } from 'tap';
import t from 'tap';
import type { Relay } from '../../relay/relay.ts';
import type { RouteLimits } from '../../relay/route.ts';
import { CANCEL_REQUEST, GSS_REQUEST, SSL_REQUEST, STARTUP_MESSAGE, TLS_RECORD } from './support/postgres-packets.ts';
import type { RecordingLogger } from './support/relay.ts';
import { countersOf, route, settled, startRelay, until } from './support/relay.ts';
import type { TestServer } from './support/sockets.ts';
import { closed, dial, readAll, readBytes, serve } from './support/sockets.ts';

interface Scene {
  readonly relay: Relay;
  readonly log: RecordingLogger;
  readonly server: TestServer;
  readonly client: Socket;
}

async function setScene(t: Tap, limits: Partial<RouteLimits> = {}): Promise<Scene> {
  const { relay, log } = await startRelay(t);
  const server = await serve(t, () => undefined);
  const spec = route({ connect: server.endpoint, preface: { kind: 'postgres-tls' }, limits });
  return { relay, log, server, client: await dial(t, await relay.addRoute(spec)) };
}

/** The scene after SSLRequest and `S`. */
async function setTlsScene(t: Tap): Promise<Scene & { readonly upstream: Socket }> {
  const scene = await setScene(t);
  scene.client.write(SSL_REQUEST);
  const upstream = await scene.server.next();
  await readBytes(upstream, SSL_REQUEST.length);
  upstream.write('S');
  await readBytes(scene.client, 1);
  return { ...scene, upstream };
}

/** The downstream gets an ErrorResponse and its end; the refusal is counted and logged. */
async function isRefused(t: Tap, { relay, log, client }: Scene, reason: string, sqlState: string): Promise<void> {
  const answer = await readAll(client);
  t.match(answer.toString('latin1'), new RegExp(`^E.*SFATAL\\0VFATAL\\0C${sqlState}\\0M.+\\0\\0$`, 's'));
  t.match((await log.until('relay.refused-preface')).fields, { route: 'route', reason });
  await until(() => countersOf(relay).active === 0);
  t.match(await settled(relay), { refusedPreface: 1, opened: 0, errors: 0, pending: 0 });
}

t.test('relays a session after SSLRequest, S and a TLS handshake', async (t) => {
  const { relay, client, upstream } = await setTlsScene(t);
  client.write(TLS_RECORD);
  t.same(await readBytes(upstream, TLS_RECORD.length), TLS_RECORD);
  upstream.end('from the server');
  t.equal((await readAll(client)).toString(), 'from the server');
  client.end();
  await until(() => countersOf(relay).active === 0);
  t.match(await settled(relay), { opened: 1, refusedPreface: 0, bytesUp: 8 + TLS_RECORD.length, bytesDown: 1 + 15 });
});

t.test('takes an SSLRequest that comes byte by byte', async (t) => {
  const { relay, client, server } = await setScene(t);
  for (const byte of SSL_REQUEST) {
    client.write(Buffer.from([byte]));
    await relay.snapshot();
  }
  t.same(await readBytes(await server.next(), SSL_REQUEST.length), SSL_REQUEST);
});

t.test('answers GSSENCRequest with N, once, and goes on to SSLRequest', async (t) => {
  const { client, server } = await setScene(t);
  client.write(GSS_REQUEST);
  t.equal((await readBytes(client, 1)).toString(), 'N');
  t.equal(server.sockets.length, 0, 'the server does not see it');
  client.write(SSL_REQUEST);
  t.same(await readBytes(await server.next(), SSL_REQUEST.length), SSL_REQUEST);
});

t.test('refuses a second GSSENCRequest', async (t) => {
  const scene = await setScene(t);
  scene.client.write(GSS_REQUEST);
  await readBytes(scene.client, 1);
  scene.client.write(GSS_REQUEST);
  await isRefused(t, scene, 'second-gss-request', '08P01');
});

t.test('refuses a StartupMessage in clear, before it dials', async (t) => {
  const scene = await setScene(t);
  scene.client.write(STARTUP_MESSAGE);
  await isRefused(t, scene, 'plaintext-startup', '28000');
  t.equal(scene.server.sockets.length, 0);
});

t.test('refuses a StartupMessage in clear after GSSENCRequest', async (t) => {
  const scene = await setScene(t);
  scene.client.write(GSS_REQUEST);
  await readBytes(scene.client, 1);
  scene.client.write(STARTUP_MESSAGE);
  await isRefused(t, scene, 'plaintext-startup', '28000');
});

t.test('refuses bytes stuffed behind SSLRequest (CVE-2021-23214)', async (t) => {
  const scene = await setScene(t);
  scene.client.write(Buffer.concat([SSL_REQUEST, STARTUP_MESSAGE]));
  await isRefused(t, scene, 'bytes-behind-request', '08P01');
  t.equal(scene.server.sockets.length, 0);
});

t.test('refuses bytes that come while the server has not answered (CVE-2021-23214)', async (t) => {
  const scene = await setScene(t);
  scene.client.write(SSL_REQUEST);
  await readBytes(await scene.server.next(), SSL_REQUEST.length);
  scene.client.write('too early');
  await isRefused(t, scene, 'bytes-behind-request', '08P01');
});

t.test('refuses a server that answers N', async (t) => {
  const scene = await setScene(t);
  scene.client.write(SSL_REQUEST);
  (await scene.server.next()).write('N');
  await isRefused(t, scene, 'upstream-refuses-tls', '28000');
});

t.test('refuses bytes that the server stuffs behind S (CVE-2021-23222)', async (t) => {
  const scene = await setScene(t);
  scene.client.write(SSL_REQUEST);
  (await scene.server.next()).write(Buffer.from('SR\0\0\0\x08\0\0\0\0'));
  await isRefused(t, scene, 'bytes-behind-answer', '08P01');
});

t.test('refuses bytes that the server sends after S and before the handshake (CVE-2021-23222)', async (t) => {
  const scene = await setTlsScene(t);
  scene.upstream.write('R');
  await isRefused(t, scene, 'upstream-speaks-first', '08P01');
});

t.test('refuses a downstream that goes on in clear after S', async (t) => {
  const scene = await setTlsScene(t);
  scene.client.write(STARTUP_MESSAGE);
  await isRefused(t, scene, 'no-tls-after-answer', '28000');
  t.equal((await readAll(scene.upstream)).length, 0, 'the server gets none of it');
});

t.test('refuses a downstream that says nothing in time', async (t) => {
  const scene = await setScene(t, { prefaceTimeoutMs: 20 });
  await isRefused(t, scene, 'time-out', '08P01');
});

t.test('fails the connection when the server closes instead of answering', async (t) => {
  const { relay, client, server } = await setScene(t);
  client.write(SSL_REQUEST);
  (await server.next()).destroy();
  t.equal(await closed(client), 'end');
  await until(() => countersOf(relay).active === 0);
  t.match(await settled(relay), { connectFailed: 1, refusedPreface: 0 });
});

t.test('passes a CancelRequest on, even from a client that closes right behind it', async (t) => {
  const { relay, client, server } = await setScene(t);
  client.end(CANCEL_REQUEST);
  const upstream = await server.next();
  t.same(await readAll(upstream), CANCEL_REQUEST);
  upstream.end();
  t.equal(await closed(client), 'end');
  await until(() => countersOf(relay).active === 0);
  t.match(await settled(relay), { refusedPreface: 0, connectFailed: 0, bytesUp: CANCEL_REQUEST.length, bytesDown: 0 });
});

t.test('refuses a session in clear behind a CancelRequest', async (t) => {
  const scene = await setScene(t);
  scene.client.write(CANCEL_REQUEST);
  const upstream = await scene.server.next();
  await readBytes(upstream, CANCEL_REQUEST.length);
  scene.client.write(STARTUP_MESSAGE);
  await isRefused(t, scene, 'bytes-behind-cancel', '08P01');
  t.equal((await readAll(upstream)).length, 0);
});

t.test('a client that leaves before it has asked for TLS is no refusal', async (t) => {
  const { relay, client } = await setScene(t);
  client.end();
  t.equal(await closed(client), 'end');
  await until(() => countersOf(relay).active === 0);
  t.match(await settled(relay), { accepted: 1, refusedPreface: 0, connectFailed: 0, errors: 0 });
});
