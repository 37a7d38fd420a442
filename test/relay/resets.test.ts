/** Must hold 4: whatever happens to a connection in whatever state, it ends, the relay lives, and nothing is left of it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Test as Tap } from 'tap';
import t from 'tap';
import type { Relay } from '../../relay/relay.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startDeafListener } from './support/deaf-listener.ts';
import { noise } from './support/noise.ts';
import { countersOf, route, settled, startRelay, until } from './support/relay.ts';
import { closed, dial, echoes, readBytes, serve, serveEcho } from './support/sockets.ts';

function descriptorCount(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Runs `action` and checks that the relay and the process hold afterwards what they held before. */
async function leavesNothing(t: Tap, relay: Relay, action: () => Promise<void>): Promise<void> {
  const before = await relay.snapshot();
  const descriptors = descriptorCount();
  await action();
  await until(async () => (await relay.snapshot()).connections === 0);
  t.same(await relay.snapshot(), before);
  await until(() => descriptorCount() <= descriptors);
}

t.test('must hold 4: a reset by the downstream reaches the upstream as a reset', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  const listen = await relay.addRoute(route({ connect: server.endpoint }));
  await leavesNothing(t, relay, async () => {
    const client = await dial(t, listen);
    t.ok(await echoes(client));
    const upstream = await server.next();
    const outcome = closed(upstream);
    client.resetAndDestroy();
    t.equal(await outcome, 'ECONNRESET');
  });
  t.match(await settled(relay), { errors: 1, active: 0 });
});

t.test('must hold 4: a reset by the upstream reaches the downstream as a reset', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  const listen = await relay.addRoute(route({ connect: server.endpoint }));
  await leavesNothing(t, relay, async () => {
    const client = await dial(t, listen);
    t.ok(await echoes(client));
    const outcome = closed(client);
    (await server.next()).resetAndDestroy();
    t.equal(await outcome, 'ECONNRESET');
  });
  t.match(await settled(relay), { errors: 1, active: 0 });
});

t.test('must hold 4: a reset while bytes wait for a stalled reader frees them', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serve(t, () => undefined);
  const listen = await relay.addRoute(route({ connect: server.endpoint }));
  await leavesNothing(t, relay, async () => {
    const client = await dial(t, listen);
    client.write(noise('stalled', 32_000_000));
    await until(async () => (await relay.snapshot()).pendingBytes > 0);
    (await server.next()).resetAndDestroy();
    await closed(client);
  });
});

t.test('must hold 4: what the upstream said before it closed arrives although it did not read all', async (t) => {
  const { relay } = await startRelay(t);
  const folder = temporaryFolder(t);
  const server = await serve(
    t,
    (socket) => {
      socket.write('FATAL: go away');
      socket.once('data', () => socket.destroySoon());
    },
    join(folder, 'up'),
  );
  const listen = await relay.addRoute(route({ connect: server.endpoint }));
  await leavesNothing(t, relay, async () => {
    const client = await dial(t, listen);
    client.write(noise('unread', 4_000_000));
    t.equal((await readBytes(client, 14)).toString(), 'FATAL: go away');
    await closed(client);
  });
});

t.test('must hold 4: a refused upstream ends the connection and is counted', async (t) => {
  const folder = temporaryFolder(t);
  const { relay, log } = await startRelay(t);
  const gone = await serve(t, () => undefined);
  await gone.close();
  const overTcp = await relay.addRoute(route({ connect: gone.endpoint }));
  const overUnix = await relay.addRoute(route({ label: 'unix', connect: `unix://${join(folder, 'nobody')}` }));
  await leavesNothing(t, relay, async () => {
    t.equal(await closed(await dial(t, overTcp)), 'end');
    t.equal(await closed(await dial(t, overUnix)), 'end');
  });
  t.equal((await settled(relay)).connectFailed, 1);
  t.equal((await settled(relay, 'unix')).connectFailed, 1);
  const failures = log.of('relay.connect-failed').map(({ fields }) => fields['reason']);
  t.same(failures, ['ECONNREFUSED: connection refused', 'ENOENT: no such file or directory']);
});

t.test('must hold 4: an upstream that does not answer in time ends the connection and is counted', async (t) => {
  const { relay, log } = await startRelay(t);
  const { endpoint: connect } = startDeafListener(t);
  const listen = await relay.addRoute(route({ connect, limits: { connectTimeoutMs: 100 } }));
  await leavesNothing(t, relay, async () => {
    t.equal(await closed(await dial(t, listen)), 'end');
  });
  t.equal((await settled(relay)).connectFailed, 1);
  t.equal((await log.until('relay.connect-failed')).fields['reason'], 'time-out');
});

t.test('must hold 4: a downstream that leaves while its upstream is being connected frees both', async (t) => {
  const { relay } = await startRelay(t);
  const listen = await relay.addRoute(route({ connect: startDeafListener(t).endpoint }));
  await leavesNothing(t, relay, async () => {
    const client = await dial(t, listen);
    await until(() => countersOf(relay).pending === 1);
    client.resetAndDestroy();
  });
  t.match(await settled(relay), { pending: 0, active: 0, connectFailed: 0 });
});

t.test('must hold 4: a unix upstream with a full backlog is tried again until it accepts', async (t) => {
  const folder = temporaryFolder(t);
  const { relay } = await startRelay(t);
  const path = join(folder, 'busy');
  const deaf = startDeafListener(t, path);
  const listen = await relay.addRoute(route({ connect: deaf.endpoint }));
  await leavesNothing(t, relay, async () => {
    const client = await dial(t, listen);
    await until(() => countersOf(relay).pending === 1);
    deaf.acceptOne();
    await until(() => countersOf(relay).opened === 1);
    client.destroy();
    deaf.close();
  });
});

t.test('must hold 4: keeps serving through hundreds of connections that end badly', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  const listen = await relay.addRoute(route({ connect: server.endpoint }));
  const survivor = await dial(t, listen);
  t.ok(await echoes(survivor));
  const before = await relay.snapshot();
  const clients = await Promise.all(Array.from({ length: 200 }, () => dial(t, listen)));
  clients.forEach((client, index) => {
    if (index % 3 === 0) client.resetAndDestroy();
    else if (index % 3 === 1) client.end('bye').resume();
    else {
      client.write('x');
      client.destroy();
    }
  });
  await until(async () => (await relay.snapshot()).connections === 1);
  t.same(await relay.snapshot(), before);
  t.ok(await echoes(survivor));
});
