/** Every form of address, listened on and connected to. */
import { lstatSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { RelayError } from '../../relay/errors.ts';
import { rejectsCode } from '../support/coded-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { route, settled, startRelay, until } from './support/relay.ts';
import { closed, dial, echoes, readBytes, serve, serveEcho } from './support/sockets.ts';

t.test('tcp: tells the port that the system chose, IPv4 and by name', async (t) => {
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  const literal = await relay.addRoute(route({ label: 'a', connect: server.endpoint }));
  t.match(literal, { kind: 'tcp', host: '127.0.0.1' });
  t.ok('port' in literal && literal.port > 0);
  const resolver = {
    resolve: async () => ({ addresses: [{ family: 4, address: '127.0.0.1' } as const], ttlMs: 1000 }),
  };
  const { relay: named } = await startRelay(t, { resolver });
  const listen = await named.addRoute(route({ listen: 'tcp://here.test:0', connect: server.endpoint }));
  t.match(listen, { kind: 'tcp', host: '127.0.0.1' });
  t.ok(await echoes(await dial(t, listen)));
});

t.test('unix: makes the socket for its owner only, and removes it at the end', async (t) => {
  const path = join(temporaryFolder(t), 'listen');
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  const listen = await relay.addRoute(route({ listen: `unix://${path}`, connect: server.endpoint }));
  t.equal(lstatSync(path).mode & 0o777, 0o600);
  t.ok(await echoes(await dial(t, listen)));
  await relay.stop();
  t.throws(() => lstatSync(path), { code: 'ENOENT' });
});

t.test('unix: leaves alone at the end what somebody else has put in its place', async (t) => {
  const path = join(temporaryFolder(t), 'listen');
  const { relay } = await startRelay(t);
  await relay.addRoute(route({ listen: `unix://${path}`, connect: 'tcp://127.0.0.1:1' }));
  const other = `${path}.other`;
  writeFileSync(other, 'not a socket');
  const { renameSync } = await import('node:fs');
  renameSync(other, path);
  await relay.stop();
  t.ok(lstatSync(path).isFile());
});

t.test('vsock-uds: says CONNECT, expects OK with any port; bytes right behind it belong to the stream', async (t) => {
  const folder = temporaryFolder(t);
  const { relay } = await startRelay(t);
  const server = await serve(t, () => undefined, join(folder, 'vm'));
  const listen = await relay.addRoute(route({ connect: `vsock-uds://${folder}/vm?port=5000` }));
  const client = await dial(t, listen);
  const upstream = await server.next();
  t.equal((await readBytes(upstream, 13)).toString(), 'CONNECT 5000\n');
  upstream.write('OK 1073741824\nhello');
  t.equal((await readBytes(client, 5)).toString(), 'hello');
  client.write('answer');
  t.equal((await readBytes(upstream, 6)).toString(), 'answer');
  t.match(await settled(relay), { bytesUp: 6, bytesDown: 5 });
});

for (const [what, answer] of [
  ['another line', 'NO\n'],
  ['an endless line', 'OK '.padEnd(64, '1')],
  ['nothing', ''],
] as const) {
  t.test(`vsock-uds: fails the connection when the answer is ${what}`, async (t) => {
    const folder = temporaryFolder(t);
    const { relay } = await startRelay(t);
    const server = await serve(t, () => undefined, join(folder, 'vm'));
    const listen = await relay.addRoute(route({ connect: `vsock-uds://${folder}/vm?port=5000` }));
    const client = await dial(t, listen);
    const upstream = await server.next();
    if (answer === '') upstream.destroy();
    else upstream.write(answer);
    t.equal(await closed(client), 'end');
    t.match(await settled(relay), { connectFailed: 1, active: 0 });
  });
}

t.test('vsock-uds: listens on path_N; vsock-uds-guest: connects to it', async (t) => {
  const folder = temporaryFolder(t);
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  const listen = `vsock-uds://${folder}/vm?port=7000&cid=4`;
  await relay.addRoute(route({ label: 'host', listen, connect: server.endpoint }));
  t.ok(lstatSync(join(folder, 'vm_7000')).isSocket());
  const connect = `vsock-uds-guest://${folder}/vm?port=7000`;
  const inGuest = await relay.addRoute(route({ label: 'guest', connect }));
  t.ok(await echoes(await dial(t, inGuest)));
});

t.test('vsock-uds-guest: one socket serves all routes of its path; vsock-uds reaches each', async (t) => {
  const folder = temporaryFolder(t);
  const { relay } = await startRelay(t);
  const servers = [
    await serve(t, (socket) => socket.end('five')),
    await serve(t, (socket) => socket.end('six')),
  ] as const;
  for (const [index, port] of [5, 6].entries()) {
    const listen = `vsock-uds-guest://${folder}/vm?port=${port}`;
    await relay.addRoute(route({ label: `guest-${port}`, listen, connect: servers[index]!.endpoint }));
  }
  for (const [port, text] of [
    [5, 'five'],
    [6, 'six'],
  ] as const) {
    const connect = `vsock-uds://${folder}/vm?port=${port}`;
    const client = await dial(t, await relay.addRoute(route({ label: `host-${port}`, connect })));
    t.equal((await readBytes(client, text.length)).toString(), text);
  }
  await relay.removeRoute('guest-5', { drainMs: 0 });
  t.ok(lstatSync(join(folder, 'vm')).isSocket(), 'the path stays for the other route');
  await relay.removeRoute('guest-6', { drainMs: 0 });
  t.throws(() => lstatSync(join(folder, 'vm')), { code: 'ENOENT' });
});

t.test('vsock-uds-guest: takes bytes right behind the CONNECT line, even if the line comes in pieces', async (t) => {
  const folder = temporaryFolder(t);
  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  const listen = `vsock-uds-guest://${folder}/vm?port=5`;
  const client = await dial(t, await relay.addRoute(route({ listen, connect: server.endpoint })));
  client.write('CONN');
  await until(async () => (await relay.snapshot()).descriptors === 3);
  client.end('ECT 5\nearly');
  t.equal((await readBytes(client, 10)).toString(), 'OK 5\nearly');
  t.equal(await closed(client), 'end');
});

for (const [what, line, reason] of [
  ['an unknown port', 'CONNECT 9\n', 'no route on port 9'],
  ['another line', 'GET / HTTP/1.1\n', 'malformed'],
  ['a line without end', 'CONNECT '.padEnd(64, '0'), 'malformed'],
] as const) {
  t.test(`vsock-uds-guest: refuses ${what}`, async (t) => {
    const folder = temporaryFolder(t);
    const { relay, log } = await startRelay(t);
    const listen = `vsock-uds-guest://${folder}/vm?port=5`;
    const client = await dial(t, await relay.addRoute(route({ listen, connect: 'tcp://127.0.0.1:1' })));
    client.write(line);
    t.match(await closed(client), /end|ECONNRESET|EPIPE/);
    t.equal((await log.until('relay.refused-port')).fields['reason'], reason);
    t.match(await relay.snapshot(), { connections: 0, descriptors: 2, deadlines: 0 });
  });
}

t.test('vsock-uds-guest: refuses a peer that does not say its port in time', async (t) => {
  const folder = temporaryFolder(t);
  const { relay, log } = await startRelay(t);
  const listen = `vsock-uds-guest://${folder}/vm?port=5`;
  const spec = route({ listen, connect: 'tcp://127.0.0.1:1', limits: { prefaceTimeoutMs: 20 } });
  t.equal(await closed(await dial(t, await relay.addRoute(spec))), 'end');
  t.equal((await log.until('relay.refused-port')).fields['reason'], 'time-out');
});

t.test('replaces the socket file of a killed process, but not one that is served', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'listen');
  const { spawnSync } = await import('node:child_process');
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
  t.ok(lstatSync(path).isSocket(), 'a stale file');

  const { relay } = await startRelay(t);
  const server = await serveEcho(t);
  const spec = route({ listen: `unix://${path}`, connect: server.endpoint });
  t.ok(await echoes(await dial(t, await relay.addRoute(spec))));

  const { relay: second } = await startRelay(t);
  await rejectsCode(() => second.addRoute(spec), RelayError, 'RELAY_ADDRESS_IN_USE');
  t.ok(await echoes(await dial(t, spec.listen)), 'the first one still serves');
});

t.test('rejects a path on which something other than a socket stands (RELAY_BIND_FAILED)', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'file');
  writeFileSync(path, 'precious');
  symlinkSync(path, join(folder, 'link'));
  const { relay } = await startRelay(t);
  for (const listen of [path, folder, join(folder, 'link')]) {
    const spec = route({ listen: `unix://${listen}`, connect: 'tcp://127.0.0.1:1' });
    const error = await rejectsCode(() => relay.addRoute(spec), RelayError, 'RELAY_BIND_FAILED');
    t.match(error.message, 'no socket lies there');
  }
  t.ok(lstatSync(path).isFile());
});

t.test('rejects addresses that cannot be listened on, with a code for each reason', async (t) => {
  const folder = temporaryFolder(t);
  const { relay } = await startRelay(t);
  const server = await serve(t, () => undefined);
  const connect = server.endpoint;
  const taken = server.endpoint.kind === 'tcp' ? server.endpoint.port : 0;
  const cases = [
    [`tcp://127.0.0.1:${taken}`, 'RELAY_ADDRESS_IN_USE'],
    ['tcp://192.0.2.1:0', 'RELAY_BIND_FAILED'],
    [`unix://${folder}/missing/listen`, 'RELAY_BIND_FAILED'],
    // Not even root may make a socket there.
    ['unix:///sys/relay', 'RELAY_PERMISSION'],
  ] as const;
  for (const [listen, code] of cases) {
    await rejectsCode(() => relay.addRoute(route({ listen, connect })), RelayError, code);
  }
  const shared = `vsock-uds-guest://${folder}/vm?port=5`;
  await relay.addRoute(route({ label: 'first', listen: shared, connect }));
  const again = route({ label: 'second', listen: shared, connect });
  await rejectsCode(() => relay.addRoute(again), RelayError, 'RELAY_ADDRESS_IN_USE');
  t.match(await relay.snapshot(), { listeners: 1, descriptors: 2 }, 'failed routes leave nothing');
});

t.test('rejects routes that make no sense (RELAY_ROUTE_INVALID, RELAY_ROUTE_EXISTS)', async (t) => {
  const { relay } = await startRelay(t);
  const connect = 'tcp://127.0.0.1:1';
  const invalid = [
    route({ connect, label: '' }),
    route({ connect: 'tcp://127.0.0.1:0' }),
    route({ connect: 'vsock://any:5' }),
    route({ connect, limits: { maxConnections: 0 } }),
    route({ connect, limits: { maxPending: 1.5 } }),
    route({ connect, limits: { connectTimeoutMs: 0 } }),
    route({ connect, limits: { prefaceTimeoutMs: -1 } }),
    route({ connect, limits: { idleTimeoutMs: Number.NaN } }),
  ];
  for (const spec of invalid) await rejectsCode(() => relay.addRoute(spec), RelayError, 'RELAY_ROUTE_INVALID');
  await relay.addRoute(route({ connect }));
  await rejectsCode(() => relay.addRoute(route({ connect })), RelayError, 'RELAY_ROUTE_EXISTS');
});

t.test('rejects a name to listen on that has no address (RELAY_RESOLVE_FAILED)', async () => {
  const none = { resolve: async () => ({ addresses: [], ttlMs: 1000 }) };
  const broken = { resolve: async () => Promise.reject(new Error('SERVFAIL')) };
  for (const resolver of [none, broken]) {
    const { relay } = await startRelay(t, { resolver });
    const spec = route({ listen: 'tcp://nowhere.test:0', connect: 'tcp://127.0.0.1:1' });
    await rejectsCode(() => relay.addRoute(spec), RelayError, 'RELAY_RESOLVE_FAILED');
  }
});

t.test('vsock: listens where the kernel has it', async (t) => {
  const { relay } = await startRelay(t);
  try {
    t.match(await relay.addRoute(route({ listen: 'vsock://any:64123', connect: 'tcp://127.0.0.1:1' })), {
      kind: 'vsock',
    });
  } catch (error) {
    t.match(error, { code: 'RELAY_BIND_FAILED' });
    t.pass('this kernel has no vsock');
  }
});
