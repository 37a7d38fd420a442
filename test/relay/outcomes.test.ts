/** docs/metrics.md: every accepted connection comes to exactly one outcome, and a route that comes back counts on. */
import type { Test as Tap } from 'tap';
import t from 'tap';
import { OUTCOMES } from '../../relay/counters.ts';
import type { Relay } from '../../relay/relay.ts';
import { startDeafListener } from './support/deaf-listener.ts';
import { CANCEL_REQUEST, SSL_REQUEST } from './support/postgres-packets.ts';
import { countersOf, route, settled, startRelay, until } from './support/relay.ts';
import { closed, dial, echoes, readBytes, serve, serveEcho } from './support/sockets.ts';

/** Outcomes that came, by name; and that they and the pending ones are all that was accepted. */
async function outcomes(t: Tap, relay: Relay): Promise<Readonly<Record<string, number>>> {
  const counters = await settled(relay);
  const came = OUTCOMES.filter((name) => counters[name] > 0).map((name) => [name, counters[name]] as const);
  const sum = came.reduce((total, [, count]) => total + count, 0);
  t.equal(counters.accepted, counters.pending + sum, 'nobody is without an outcome');
  return Object.fromEntries(came);
}

/** Until so many have come to an outcome: a connection is accepted a moment before it is held. */
async function untilOutcomes(relay: Relay, count: number): Promise<void> {
  const sum = () => OUTCOMES.reduce((total, name) => total + countersOf(relay)[name], 0);
  await until(() => sum() === count);
}

t.test('counts a client that goes away while its upstream is dialled', async (t) => {
  const { relay } = await startRelay(t);
  const { endpoint: connect } = startDeafListener(t);
  const client = await dial(t, await relay.addRoute(route({ connect })));
  await until(() => countersOf(relay).pending === 1);
  t.same(await outcomes(t, relay), {});
  client.resetAndDestroy();
  await untilOutcomes(relay, 1);
  t.same(await outcomes(t, relay), { gone: 1 });
});

t.test('counts a client that goes away before it has said what it wants', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  const spec = route({ connect: server.endpoint, preface: { kind: 'postgres-opening' } });
  (await dial(t, await relay.addRoute(spec))).end(SSL_REQUEST.subarray(0, 4));
  await untilOutcomes(relay, 1);
  t.same(await outcomes(t, relay), { gone: 1 });
});

t.test('counts a client that goes away before the database has answered, and one that goes after `S`', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serve(t, () => undefined);
  const listen = await relay.addRoute(route({ connect: server.endpoint, preface: { kind: 'postgres-tls' } }));
  const [before, after] = [await dial(t, listen), await dial(t, listen)];
  for (const client of [before, after]) {
    client.write(SSL_REQUEST);
    const upstream = await server.next();
    await readBytes(upstream, SSL_REQUEST.length);
    if (client === after) {
      upstream.write('S');
      await readBytes(client, 1);
    }
    client.end();
  }
  await untilOutcomes(relay, 2);
  t.same(await outcomes(t, relay), { gone: 2 });
});

t.test('counts a CancelRequest that was passed on', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serve(t, (socket) => socket.resume().once('end', () => socket.end()));
  const listen = await relay.addRoute(route({ connect: server.endpoint, preface: { kind: 'postgres-tls' } }));
  (await dial(t, listen)).end(CANCEL_REQUEST);
  await untilOutcomes(relay, 1);
  t.same(await outcomes(t, relay), { cancelled: 1 });
});

t.test('counts those that a limit turned away, and those that were cut before they were open', async (t) => {
  const { relay } = await startRelay(t);
  const { endpoint: connect } = startDeafListener(t);
  const listen = await relay.addRoute(route({ connect, limits: { maxPending: 1 } }));
  const pending = await dial(t, listen);
  await until(() => countersOf(relay).pending === 1);
  await closed(await dial(t, listen));
  t.same(await relay.removeRoute('route', { drainMs: 0 }), { cut: 1 });
  await closed(pending);
  t.same(await outcomes(t, relay), { unopenedShed: 1, unopenedCut: 1 });
});

t.test('counts those that made room before they had spoken, and no open one twice', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  const preface = { kind: 'postgres-opening' } as const;
  const limits = { maxPending: 1, prefaceTimeoutMs: 60_000 };
  const listen = await relay.addRoute(route({ connect: server.endpoint, preface, limits }));
  const silent = await dial(t, listen);
  await until(() => countersOf(relay).silent === 1);
  const speaking = await dial(t, listen);
  await closed(silent);
  speaking.write(SSL_REQUEST);
  t.same(await readBytes(speaking, SSL_REQUEST.length), SSL_REQUEST);
  t.same(await relay.removeRoute('route', { drainMs: 0 }), { cut: 1 });
  t.same(await outcomes(t, relay), { opened: 1, unopenedShed: 1 });
  t.match(countersOf(relay), { shedSilent: 1, cut: 1, unopenedCut: 0 });
});

t.test('counts one that spoke when no place was free once', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  const preface = { kind: 'postgres-opening' } as const;
  const limits = { maxConnections: 1, prefaceTimeoutMs: 60_000 };
  const listen = await relay.addRoute(route({ connect: server.endpoint, preface, limits }));
  const held = await dial(t, listen);
  held.write(SSL_REQUEST);
  await untilOutcomes(relay, 1);
  const late = await dial(t, listen);
  late.write(SSL_REQUEST);
  await closed(late);
  t.same(await outcomes(t, relay), { opened: 1, unopenedShed: 1 });
});

t.test('counts those without an upstream and those whose first bytes are refused', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  await server.close();
  const spec = route({ connect: server.endpoint, preface: { kind: 'postgres-opening' } });
  const listen = await relay.addRoute(spec);
  const [refused, failed] = [await dial(t, listen), await dial(t, listen)];
  refused.write('GET / HTTP/1.1\r\n');
  failed.write(SSL_REQUEST);
  await untilOutcomes(relay, 2);
  t.same(await outcomes(t, relay), { refusedPreface: 1, connectFailed: 1 });
});

t.test('keeps the counters of a removed route, and counts on when it is added again', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  for (const round of [1, 2, 3]) {
    const client = await dial(t, await relay.addRoute(route({ connect: server.endpoint })));
    t.ok(await echoes(client));
    const bytesUp = countersOf(relay).bytesUp;
    await relay.removeRoute('route', { drainMs: 0 });
    t.match(await settled(relay), { accepted: round, opened: round, cut: round, active: 0, pending: 0, bytesUp });
  }
});

t.test('keeps the counters of a route whose address is taken when it comes back', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  t.ok(await echoes(await dial(t, await relay.addRoute(route({ connect: server.endpoint })))));
  await relay.removeRoute('route', { drainMs: 0 });
  const { endpoint } = server;
  const taken = { ...route({ connect: endpoint }), listen: endpoint };
  await t.rejects(relay.addRoute(taken), { code: 'RELAY_ADDRESS_IN_USE' });
  t.match(await settled(relay), { accepted: 1, opened: 1 });
});
