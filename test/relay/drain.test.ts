/** Must hold 8: stop accepting, let the established ones finish until the deadline, then close; tell how many were cut. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { RelayError } from '../../relay/errors.ts';
import { rejectsCode } from '../support/coded-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { route, settled, startRelay, until } from './support/relay.ts';
import { closed, dial, echoes, serveEcho } from './support/sockets.ts';

const FOR_EVER_MS = 60_000;

t.test('must hold 8: stops accepting at once and waits for the established ones', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  const listen = await relay.addRoute(route({ connect: server.endpoint }));
  const client = await dial(t, listen);
  t.ok(await echoes(client));
  const drained = relay.drain({ drainMs: FOR_EVER_MS });
  await relay.snapshot();
  await t.rejects(dial(t, listen), { code: 'ECONNREFUSED' });
  t.ok(await echoes(client), 'the established one goes on');
  client.end();
  t.same(await drained, { cut: 0 });
  t.match(await settled(relay), { opened: 1, active: 0, cut: 0 }, 'counters stay readable');
});

t.test('must hold 8: cuts what is left at the deadline and tells how many', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  const one = await relay.addRoute(route({ label: 'one', connect: server.endpoint }));
  const two = await relay.addRoute(route({ label: 'two', connect: server.endpoint }));
  const clients = [await dial(t, one), await dial(t, one), await dial(t, two)];
  for (const client of clients) t.ok(await echoes(client));
  const outcomes = clients.map(closed);
  t.same(await relay.drain({ drainMs: 20 }), { cut: 3 });
  t.same(await Promise.all(outcomes), ['end', 'end', 'end']);
  t.equal((await settled(relay, 'one')).cut, 2);
  t.equal((await settled(relay, 'two')).cut, 1);
  t.match(await relay.snapshot(), { listeners: 0, connections: 0, descriptors: 1, deadlines: 0 });
});

t.test('must hold 8: removing one route leaves the others alone', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  const one = await relay.addRoute(route({ label: 'one', connect: server.endpoint }));
  const two = await relay.addRoute(route({ label: 'two', connect: server.endpoint }));
  const [leaving, staying] = [await dial(t, one), await dial(t, two)];
  t.ok((await echoes(leaving)) && (await echoes(staying)));
  t.same(await relay.removeRoute('one', { drainMs: 0 }), { cut: 1 });
  t.match(await relay.snapshot(), { listeners: 1, connections: 1 });
  await closed(leaving);
  t.ok(await echoes(staying));
  t.ok(await echoes(await dial(t, two)));
  const again = await relay.addRoute(route({ label: 'one', connect: server.endpoint }));
  t.ok(await echoes(await dial(t, again)), 'the label is free again');
});

t.test(
  'rejects a route while draining (RELAY_NOT_RUNNING) and the removal of an unknown one (RELAY_ROUTE_UNKNOWN)',
  async (t) => {
    const { relay } = await startRelay(t);
    await rejectsCode(() => relay.removeRoute('nobody', { drainMs: 0 }), RelayError, 'RELAY_ROUTE_UNKNOWN');
    await relay.drain({ drainMs: 0 });
    const spec = route({ connect: 'tcp://127.0.0.1:1' });
    await rejectsCode(() => relay.addRoute(spec), RelayError, 'RELAY_NOT_RUNNING');
  },
);

t.test('stop during a drain cuts what is left and ends the drain', async (t) => {
  const folder = temporaryFolder(t);
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  const path = join(folder, 'listen');
  const client = await dial(t, await relay.addRoute(route({ listen: `unix://${path}`, connect: server.endpoint })));
  t.ok(await echoes(client));
  const drained = relay.drain({ drainMs: FOR_EVER_MS });
  await until(() => !existsSync(path));
  await relay.stop();
  t.same(await drained, { cut: 1 });
});
