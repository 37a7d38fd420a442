/** Must hold 4: when descriptors run out, accepting pauses and resumes; nothing spins, nothing leaks. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import type { RouteCounters } from '../../relay/counters.ts';
import type { RelaySnapshot } from '../../relay/worker/protocol.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { dial, echoes, serveEcho } from './support/sockets.ts';

interface Report {
  readonly descriptors: number | undefined;
  readonly snapshot: RelaySnapshot;
  readonly counters: RouteCounters;
  readonly paused: number;
  readonly cpuMicros: number;
}

const MAX_DESCRIPTORS = 64;
const CLIENTS = 60;
const WATCH_MS = 300;

/** The relay with so few descriptors. Node itself raises the soft limit to the hard one, so the shell sets both. */
function startLimited(listen: string, connect: string): ChildProcess {
  const script = new URL('support/limited-relay.ts', import.meta.url).pathname;
  const command = `ulimit -n ${MAX_DESCRIPTORS}; exec "$0" "$@"`;
  return spawn('/bin/sh', ['-c', command, process.execPath, script, listen, connect], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

async function report(child: ChildProcess): Promise<Report> {
  child.send('report');
  const [answer] = await once(child, 'message');
  return answer as Report;
}

t.test('must hold 4: keeps accepting after EMFILE, and gives every descriptor back', async (t) => {
  const folder = temporaryFolder(t);
  const echo = await serveEcho(t, join(folder, 'echo'));
  const listen = join(folder, 'relay');
  const child = startLimited(listen, join(folder, 'echo'));
  t.teardown(() => child.kill('SIGKILL'));
  const [before] = (await once(child, 'message')) as [Report];

  // All connect (the kernel queues them); only as many are relayed as there are descriptors.
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => dial(t, { kind: 'unix', path: listen })));
  const served: Promise<unknown>[] = clients.map(async (client) => {
    const isServed = await echoes(client);
    client.destroy();
    return isServed;
  });
  t.same(await Promise.all(served), Array(CLIENTS).fill(true), 'each is served in its turn');

  for (;;) {
    const now = await report(child);
    if (now.snapshot.connections > 0 || now.snapshot.isAcceptPaused) continue;
    t.ok(now.paused > 0, 'accepting was paused');
    t.equal(now.counters.opened, CLIENTS);
    t.equal(now.descriptors, before.descriptors);
    t.match(now.snapshot, { connections: 0, pendingBytes: 0, descriptors: before.snapshot.descriptors });
    break;
  }
  const exited = once(child, 'exit');
  child.disconnect();
  t.same(await exited, [0, null]);
  t.equal(echo.sockets.length, CLIENTS);
});

t.test('must hold 4: does not spin while descriptors are short', async (t) => {
  const folder = temporaryFolder(t);
  await serveEcho(t, join(folder, 'echo'));
  const listen = join(folder, 'relay');
  const child = startLimited(listen, join(folder, 'echo'));
  t.teardown(() => child.kill('SIGKILL'));
  await once(child, 'message');
  await Promise.all(Array.from({ length: CLIENTS }, () => dial(t, { kind: 'unix', path: listen })));
  let first = await report(child);
  while (!first.snapshot.isAcceptPaused) first = await report(child);
  const startMs = performance.now();
  // The one thing to be seen here is that nothing happens for a while.
  await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
  const second = await report(child);
  const busy = (second.cpuMicros - first.cpuMicros) / 1000 / (performance.now() - startMs);
  t.ok(busy < 0.5, `${(busy * 100).toFixed(0)} % of a core`);
  t.ok(second.snapshot.isAcceptPaused);
});
