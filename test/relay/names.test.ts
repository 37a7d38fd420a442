/** Names are resolved outside the worker and kept; a slow or failing DNS holds nobody up for whom an older answer is known. */
import t from 'tap';
import type { Resolution, ResolvedAddress } from '../../relay/resolver.ts';
import { startDeafListener } from './support/deaf-listener.ts';
import { countersOf, route, settled, startRelay, until } from './support/relay.ts';
import { closed, dial, echoes, serveEcho } from './support/sockets.ts';

const LOOPBACK: ResolvedAddress = { family: 4, address: '127.0.0.1' };

/** Answers only when told to; remembers what was asked. */
class ManualResolver {
  readonly asked: string[] = [];
  #waiting: PromiseWithResolvers<Resolution>[] = [];

  resolve(host: string): Promise<Resolution> {
    this.asked.push(host);
    const answer = Promise.withResolvers<Resolution>();
    this.#waiting.push(answer);
    return answer.promise;
  }

  async answer(addresses: readonly ResolvedAddress[], ttlMs: number): Promise<void> {
    await until(() => this.#waiting.length > 0);
    this.#waiting.shift()!.resolve({ addresses, ttlMs });
  }

  async fail(): Promise<void> {
    await until(() => this.#waiting.length > 0);
    this.#waiting.shift()!.reject(new Error('SERVFAIL'));
  }
}

t.test('asks once for connections that wait together, and again only after the time to live', async (t) => {
  const resolver = new ManualResolver();
  const { relay } = await startRelay(t, { resolver });
  const { endpoint } = await serveEcho(t);
  const port = endpoint.kind === 'tcp' ? endpoint.port : 0;
  const listen = await relay.addRoute(route({ connect: `tcp://db.test:${port}` }));
  const clients = [await dial(t, listen), await dial(t, listen)];
  await until(() => countersOf(relay).pending === 2);
  await resolver.answer([LOOPBACK], 60_000);
  for (const client of clients) t.ok(await echoes(client));
  t.ok(await echoes(await dial(t, listen)));
  t.same(resolver.asked, ['db.test']);
});

t.test('asks again when the time to live is over, and holds nobody up meanwhile', async (t) => {
  const resolver = new ManualResolver();
  const { relay } = await startRelay(t, { resolver });
  const { endpoint } = await serveEcho(t);
  const port = endpoint.kind === 'tcp' ? endpoint.port : 0;
  const listen = await relay.addRoute(route({ connect: `tcp://db.test:${port}` }));
  const client = await dial(t, listen);
  await resolver.answer([LOOPBACK], 0);
  t.ok(await echoes(client));
  for (let round = 0; round < 3; round++) t.ok(await echoes(await dial(t, listen)), 'DNS is silent');
  t.equal(resolver.asked.length, 2, 'asked once more, whoever came');
});

t.test('a failure of DNS costs nothing while an older answer is known, and is logged', async (t) => {
  const resolver = new ManualResolver();
  const { relay, log } = await startRelay(t, { resolver });
  const { endpoint } = await serveEcho(t);
  const port = endpoint.kind === 'tcp' ? endpoint.port : 0;
  const listen = await relay.addRoute(route({ connect: `tcp://db.test:${port}` }));
  const established = await dial(t, listen);
  await resolver.answer([LOOPBACK], 0);
  t.ok(await echoes(established));
  t.ok(await echoes(await dial(t, listen)));
  await resolver.fail();
  t.match((await log.until('relay.resolve-failed')).fields, { host: 'db.test', error: 'SERVFAIL' });
  t.ok(await echoes(await dial(t, listen)));
  t.ok(await echoes(established));
  t.match(await settled(relay), { connectFailed: 0, opened: 3 });
});

t.test('a failure of DNS ends the connections that waited for that name, others go on', async (t) => {
  const resolver = new ManualResolver();
  const { relay, log } = await startRelay(t, { resolver });
  const server = await serveEcho(t);
  const listen = await relay.addRoute(route({ connect: 'tcp://db.test:5432' }));
  const established = await dial(t, await relay.addRoute(route({ label: 'other', connect: server.endpoint })));
  const unlucky = await dial(t, listen);
  await resolver.fail();
  t.equal(await closed(unlucky), 'end');
  t.equal((await log.until('relay.connect-failed')).fields['reason'], 'cannot resolve db.test');
  t.equal(await closed(await dial(t, listen)), 'end', 'the failure is kept for a moment');
  t.equal(resolver.asked.length, 1);
  t.ok(await echoes(established));
  t.match(await settled(relay), { connectFailed: 2, opened: 0 });
});

t.test('accepts and serves other routes while DNS hangs, and gives up at the connect time-out', async (t) => {
  const resolver = new ManualResolver();
  const { relay } = await startRelay(t, { resolver });
  const server = await serveEcho(t);
  const named = route({ label: 'named', connect: 'tcp://db.test:5432', limits: { connectTimeoutMs: 50 } });
  const hanging = await dial(t, await relay.addRoute(named));
  const other = await dial(t, await relay.addRoute(route({ connect: server.endpoint })));
  t.ok(await echoes(other));
  t.equal(await closed(hanging), 'end');
  await until(() => countersOf(relay, 'named').active === 0);
  t.equal((await settled(relay, 'named')).connectFailed, 1);
  await resolver.answer([LOOPBACK], 0);
  t.ok(await echoes(other), 'an answer that comes too late does no harm');
});

t.test('tries every address until one takes the connection', async (t) => {
  const { endpoint } = await serveEcho(t);
  const port = endpoint.kind === 'tcp' ? endpoint.port : 0;
  // 127.0.0.2 and ::1 refuse: the server listens on 127.0.0.1 only.
  const addresses: ResolvedAddress[] = [{ family: 4, address: '127.0.0.2' }, { family: 6, address: '::1' }, LOOPBACK];
  const { relay } = await startRelay(t, { resolver: { resolve: async () => ({ addresses, ttlMs: 1000 }) } });
  const listen = await relay.addRoute(route({ connect: `tcp://db.test:${port}` }));
  t.ok(await echoes(await dial(t, listen)));
  t.match(await settled(relay), { opened: 1, connectFailed: 0 });
});

t.test('leaves an address that does not answer after its share of the time', async (t) => {
  const deaf = startDeafListener(t).endpoint;
  const port = deaf.kind === 'tcp' ? deaf.port : 0;
  const { Server } = await import('node:net');
  const second = new Server((socket) => socket.pipe(socket)).listen(port, '127.0.0.2');
  await new Promise((resolve) => second.once('listening', resolve));
  t.teardown(() => second.close());
  const addresses: ResolvedAddress[] = [LOOPBACK, { family: 4, address: '127.0.0.2' }];
  const { relay } = await startRelay(t, { resolver: { resolve: async () => ({ addresses, ttlMs: 1000 }) } });
  const spec = route({ connect: `tcp://db.test:${port}`, limits: { connectTimeoutMs: 200 } });
  const client = await dial(t, await relay.addRoute(spec));
  t.ok(await echoes(client));
  client.destroy();
});

t.test('fails a name without addresses', async (t) => {
  const resolver = { resolve: async () => ({ addresses: [], ttlMs: 1000 }) };
  const { relay } = await startRelay(t, { resolver });
  const listen = await relay.addRoute(route({ connect: 'tcp://db.test:5432' }));
  t.equal(await closed(await dial(t, listen)), 'end');
  await until(() => countersOf(relay).connectFailed === 1);
  t.pass('counted');
});
