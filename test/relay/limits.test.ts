/** Must hold 5: over the limit, connections are shed at accept and counted; the established ones do not notice. */
import { once } from 'node:events';
import t from 'tap';
import { startDeafListener } from './support/deaf-listener.ts';
import { countersOf, route, settled, startRelay, until } from './support/relay.ts';
import { closed, dial, echoes, serveEcho } from './support/sockets.ts';

t.test('must hold 5: sheds over maxConnections, and takes the next when one has ended', async (t) => {
  const { relay, log } = await startRelay(t);
  const server = await serveEcho(t);
  const listen = await relay.addRoute(route({ connect: server.endpoint, limits: { maxConnections: 2 } }));
  const [first, second] = [await dial(t, listen), await dial(t, listen)];
  t.ok((await echoes(first)) && (await echoes(second)));

  t.equal(await closed(await dial(t, listen)), 'end');
  t.match(await settled(relay), { accepted: 3, active: 2, shed: 1 });
  t.match((await log.until('relay.shed')).fields, { route: 'route', reason: 'maxConnections' });
  t.ok((await echoes(first)) && (await echoes(second)), 'the established ones go on');
  t.equal(server.sockets.length, 2, 'the upstream did not see the third');

  first.end();
  await until(() => countersOf(relay).active === 1);
  t.ok(await echoes(await dial(t, listen)));
});

t.test('must hold 5: sheds over maxPending while upstreams are slow', async (t) => {
  const { relay, log } = await startRelay(t);
  const { endpoint: connect } = startDeafListener(t);
  const listen = await relay.addRoute(route({ connect, limits: { maxPending: 1 } }));
  await dial(t, listen);
  await until(() => countersOf(relay).pending === 1);
  t.equal(await closed(await dial(t, listen)), 'end');
  t.match(await settled(relay), { accepted: 2, active: 1, pending: 1, shed: 1 });
  t.equal((await log.until('relay.shed')).fields['reason'], 'maxPending');
});

t.test('a flood of shed connections does not flood the log', async (t) => {
  const { relay, log } = await startRelay(t);
  const server = await serveEcho(t);
  const listen = await relay.addRoute(route({ connect: server.endpoint, limits: { maxConnections: 1 } }));
  t.ok(await echoes(await dial(t, listen)));
  await Promise.all(Array.from({ length: 100 }, async () => closed(await dial(t, listen))));
  await until(() => countersOf(relay).shed === 100);
  await relay.stop();
  t.equal(log.of('relay.shed').length, 10);
  t.match(log.of('relay.suppressed'), [{ fields: { kind: 'route relay.shed', suppressed: 90 } }]);
});

t.test('closes a connection that is idle in both directions for the idle time-out', async (t) => {
  const { relay, log } = await startRelay(t);
  const server = await serveEcho(t);
  const listen = await relay.addRoute(route({ connect: server.endpoint, limits: { idleTimeoutMs: 50 } }));
  t.equal(await closed(await dial(t, listen)), 'end');
  await until(() => countersOf(relay).active === 0);
  t.match(await settled(relay), { idleClosed: 1, errors: 0 });
  t.equal((await log.until('relay.idle-closed')).fields['route'], 'route');
});

t.test('keeps a connection open on which bytes move in one direction only', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  const listen = await relay.addRoute(route({ connect: server.endpoint, limits: { idleTimeoutMs: 600 } }));
  const [busy, idle] = [await dial(t, listen), await dial(t, listen)];
  busy.resume();
  const goOn = () => void (busy.destroyed || busy.write('x', () => setImmediate(goOn)));
  goOn();
  t.equal(await closed(idle), 'end', 'the idle one ends');
  await once(busy, 'data');
  t.notOk(busy.destroyed, 'the busy one goes on');
  t.match(await settled(relay), { active: 1, idleClosed: 1 });
});
