/**
 * The relay's thread. Everything that it opens is closed when the loop ends, whatever ended it; the wake-up descriptor is the
 * main thread's to close, because only that one knows when nobody writes to it any more.
 */
import { workerData } from 'node:worker_threads';
import { Poller } from '../../system/libc/poller.ts';
import { AcceptGate } from './accept-gate.ts';
import { AddressBook } from './address-book.ts';
import { CommandChannel } from './commands.ts';
import type { NameWaiter, Target } from './engine.ts';
import { Engine } from './engine.ts';
import type { WorkerData } from './protocol.ts';
import { EXIT_DONE } from './protocol.ts';
import { RouteTable } from './route-table.ts';
import { SYSTEM_SOCKETS } from './sockets.ts';
import { WorkerLog } from './worker-log.ts';

function main({ port, exitFlag, isTracing }: WorkerData): void {
  const log = new WorkerLog({
    post: (record) => channel.post({ kind: 'log', record }),
    nowMs: () => engine.nowMs,
    isTracing,
  });
  const addresses = new AddressBook<NameWaiter>((host) => channel.post({ kind: 'resolve', host }));
  const engine = new Engine({
    poller: new Poller<Target>(),
    sockets: SYSTEM_SOCKETS,
    readClockMs: () => performance.now(),
    log,
    addresses,
    gate: new AcceptGate(SYSTEM_SOCKETS),
  });
  const routes = new RouteTable(engine);
  const channel = new CommandChannel({ port, exitFlag, routes });
  try {
    channel.start(engine);
    engine.run();
  } finally {
    routes.close();
    log.flush();
    engine.gate.close();
    engine.close();
    port.close();
    const flag = new Int32Array(exitFlag);
    Atomics.store(flag, 0, EXIT_DONE);
    Atomics.notify(flag, 0);
  }
}

main(workerData as WorkerData);
