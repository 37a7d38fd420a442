/** Start and stop: symmetric, repeatable, leaving nothing; and what happens when the worker dies or the process exits. */
import type { SpawnSyncReturns } from 'node:child_process';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { RelayError } from '../../relay/errors.ts';
import { Relay } from '../../relay/relay.ts';
import { silentLogger } from '../../runtime/log.ts';
import { close } from '../../system/libc/socket-calls.ts';
import { rejectsCode } from '../support/coded-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { route, startRelay, until } from './support/relay.ts';
import { closed, dial, echoes, serveEcho } from './support/sockets.ts';

function descriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`];
    } catch {
      return [];
    }
  });
}

/** A Node of its own, without the options that a test runner passes down to its children. */
function runNode(...args: readonly string[]): SpawnSyncReturns<string> {
  const command = 'unset NODE_OPTIONS; exec "$0" "$@"';
  return spawnSync('/bin/sh', ['-c', command, process.execPath, ...args], { timeout: 20_000, encoding: 'utf8' });
}

t.test('stop leaves nothing: descriptors, socket files, threads, process listeners', async (t) => {
  const folder = temporaryFolder(t);
  const server = await serveEcho(t);
  // Once before, so that what Node itself keeps after a first thread is there already.
  const warmUp = new Relay({ logger: silentLogger });
  await warmUp.start(AbortSignal.timeout(30_000));
  await warmUp.stop();
  const before = { descriptors: descriptors().length, exit: process.listenerCount('exit') };

  const { relay } = await startRelay(t);
  for (const [index, listen] of [
    `unix://${folder}/a`,
    `vsock-uds://${folder}/b?port=1`,
    `vsock-uds-guest://${folder}/c?port=1`,
    'tcp://127.0.0.1:0',
  ].entries()) {
    await relay.addRoute(route({ label: `route-${index}`, listen, connect: server.endpoint }));
  }
  const client = await dial(t, { kind: 'unix', path: join(folder, 'a') });
  t.ok(await echoes(client));
  t.equal(readdirSync(folder).length, 3);
  await relay.stop();
  t.equal(await closed(client), 'end', 'connections are closed');
  t.same(readdirSync(folder), []);
  for (const socket of [client, ...server.sockets]) socket.destroy();
  await until(() => descriptors().length <= before.descriptors);
  t.equal(process.listenerCount('exit'), before.exit);
  t.same(relay.counters(), {});
});

t.test('starts and stops again and again; both may be said twice', async (t) => {
  const relay = new Relay({ logger: silentLogger });
  const server = await serveEcho(t);
  for (let round = 0; round < 3; round++) {
    await Promise.all([relay.start(AbortSignal.timeout(30_000)), relay.start(AbortSignal.timeout(30_000))]);
    const client = await dial(t, await relay.addRoute(route({ connect: server.endpoint })));
    t.ok(await echoes(client));
    await Promise.all([relay.stop(), relay.stop()]);
    await relay.stop();
  }
});

t.test('rejects everything while it does not run (RELAY_NOT_RUNNING)', async () => {
  const relay = new Relay({ logger: silentLogger });
  const spec = route({ connect: 'tcp://127.0.0.1:1' });
  await rejectsCode(() => relay.addRoute(spec), RelayError, 'RELAY_NOT_RUNNING');
  await rejectsCode(() => relay.removeRoute('route', { drainMs: 0 }), RelayError, 'RELAY_NOT_RUNNING');
  await rejectsCode(() => relay.drain({ drainMs: 0 }), RelayError, 'RELAY_NOT_RUNNING');
  await rejectsCode(() => relay.snapshot(), RelayError, 'RELAY_NOT_RUNNING');
  await rejectsCode(async () => relay.whenFailed, RelayError, 'RELAY_NOT_RUNNING');
});

t.test('a start that is aborted leaves nothing', async (t) => {
  const relay = new Relay({ logger: silentLogger });
  await t.rejects(relay.start(AbortSignal.abort(new Error('no'))), { message: 'no' });
  const controller = new AbortController();
  const starting = relay.start(controller.signal);
  controller.abort(new Error('changed my mind'));
  await t.rejects(starting, { message: 'changed my mind' });
  await rejectsCode(() => relay.snapshot(), RelayError, 'RELAY_NOT_RUNNING');
  await relay.start(AbortSignal.timeout(30_000));
  await relay.stop();
});

t.test('a stop during a start ends both (RELAY_NOT_RUNNING)', async () => {
  const relay = new Relay({ logger: silentLogger });
  const starting = relay.start(AbortSignal.timeout(30_000));
  const stopping = relay.stop();
  await rejectsCode(() => starting, RelayError, 'RELAY_NOT_RUNNING');
  await stopping;
});

/** The descriptor of the epoll instance that watches sockets: the worker's. */
function findEpoll(known: readonly string[]): number {
  const fresh = descriptors().filter((entry) => entry.includes('[eventpoll]') && !known.includes(entry));
  const watchers = fresh
    .map((entry) => Number(entry.split(' ')[0]))
    .filter((fd) => {
      const watched = [...readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8').matchAll(/^tfd:\s+(\d+)/gm)];
      return watched.some(([, number]) => readlinkSync(`/proc/self/fd/${number}`).startsWith('socket:'));
    });
  return watchers[0] ?? -1;
}

t.test('tells when the worker dies, closes all connections, and can be started anew (RELAY_WORKER_DIED)', async (t) => {
  const server = await serveEcho(t);
  const known = descriptors();
  const { relay, log } = await startRelay(t);
  const client = await dial(t, await relay.addRoute(route({ connect: server.endpoint })));
  t.ok(await echoes(client));
  const { whenFailed } = relay;

  // Without its epoll instance the worker cannot go on.
  const epoll = findEpoll(known);
  t.ok(epoll > 0);
  close(epoll);
  const requests = await Promise.allSettled([relay.snapshot(), relay.snapshot()]);
  const failure = await whenFailed;
  t.equal(failure.code, 'RELAY_WORKER_DIED');
  t.match(failure.cause, { message: /^epoll_wait: EBADF/ });
  t.ok(
    requests.every(({ status }) => status === 'fulfilled' || status === 'rejected'),
    'no request is left waiting',
  );
  t.equal(await closed(client), 'end');
  t.equal(log.of('relay.worker-died').length, 1);
  await rejectsCode(() => relay.snapshot(), RelayError, 'RELAY_NOT_RUNNING');

  await relay.start(AbortSignal.timeout(30_000));
  const again = await dial(t, await relay.addRoute(route({ connect: server.endpoint })));
  t.ok(await echoes(again));
});

for (const [what, ending, status] of [
  ['calls process.exit', 'process.exit(7)', 7],
  ['dies of an uncaught exception', 'setImmediate(() => { throw new Error("boom") })', 1],
] as const) {
  t.test(`does not keep a process alive that ${what}`, async (t) => {
    const folder = temporaryFolder(t);
    const relayFile = new URL('../../relay/relay.ts', import.meta.url).href;
    const supportFile = new URL('support/relay.ts', import.meta.url).href;
    const script = `
      const { Relay } = await import(${JSON.stringify(relayFile)});
      const { route } = await import(${JSON.stringify(supportFile)});
      const relay = new Relay({ logger: { log() {} } });
      await relay.start(AbortSignal.timeout(30_000));
      await relay.addRoute(route({ listen: 'unix://${folder}/listen', connect: 'tcp://127.0.0.1:1' }));
      ${ending};`;
    const child = runNode('--input-type=module', '-e', script);
    t.equal(child.signal, null, 'it ended by itself');
    t.equal(child.status, status);
    t.same(readdirSync(folder), [], 'its socket file is gone');
  });
}

t.test('does not keep a process alive that exits at any moment of a start', async (t) => {
  const relayFile = new URL('../../relay/relay.ts', import.meta.url).href;
  const script = `
    const { Relay } = await import(${JSON.stringify(relayFile)});
    const relay = new Relay({ logger: { log() {} } });
    void relay.start(AbortSignal.timeout(30_000));
    const end = performance.now() + Number(process.argv[1]);
    while (performance.now() < end);
    process.exit(7);`;
  for (const afterMs of [0, 20, 60, 100, 200]) {
    const child = runNode('--input-type=module', '-e', script, String(afterMs));
    t.equal(child.status, 7, `after ${afterMs} ms; signal ${child.signal}, ${child.error?.message} ${child.stderr}`);
  }
});

t.test('rejects a start without threads or without native code (RELAY_START_FAILED), and leaves nothing', async (t) => {
  const relayFile = new URL('../../relay/relay.ts', import.meta.url).href;
  const script = `
    const { Relay } = await import(${JSON.stringify(relayFile)});
    const relay = new Relay({ logger: { log(level, event) { console.log(event); } } });
    await relay.start(AbortSignal.timeout(30_000)).catch(({ code, cause }) => console.log(code, cause.code));
    await relay.stop();`;
  for (const [allowed, cause] of [
    [['--allow-addons'], 'ERR_ACCESS_DENIED'],
    [['--allow-worker'], 'ERR_DLOPEN_DISABLED'],
  ] as const) {
    const child = runNode('--permission', '--allow-fs-read=*', ...allowed, '--input-type=module', '-e', script);
    t.equal(child.stdout, `RELAY_START_FAILED ${cause}\n`);
    t.equal(child.status, 0);
  }
});

t.test('traces connections only when asked to', async (t) => {
  const server = await serveEcho(t);
  for (const traceConnections of [false, true]) {
    const { relay, log } = await startRelay(t, { traceConnections });
    const client = await dial(t, await relay.addRoute(route({ connect: server.endpoint })));
    t.ok(await echoes(client));
    client.end();
    await until(() => relay.counters()['route']?.active === 0);
    await relay.stop();
    t.equal(log.of('relay.opened').length, traceConnections ? 1 : 0);
    t.match(log.of('relay.closed'), traceConnections ? [{ level: 'debug', fields: { reason: 'finished' } }] : []);
  }
});
