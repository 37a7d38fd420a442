/**
 * The relay's thread. Everything that it opens is closed when the loop ends, whatever ended it; the wake-up descriptor is the
 * main thread's to close, because only that one knows when nobody writes to it any more.
 */
import { workerData } from 'node:worker_threads';
import { AcceptGate } from './accept-gate.ts';
import { AddressBook } from './address-book.ts';
import { CommandChannel } from './commands.ts';
import type { Connection } from './connection.ts';
import { Engine } from './engine.ts';
import type { WorkerData } from './protocol.ts';
import { EXIT_DONE } from './protocol.ts';
import { RouteTable } from './route-table.ts';
import { WorkerLog } from './worker-log.ts';

function main({ port, exitFlag, isTracing }: WorkerData): void {
  const log = new WorkerLog({
    post: (record) => channel.post({ kind: 'log', record }),
    nowMs: () => engine.nowMs,
    isTracing,
  });
  const addresses = new AddressBook<Connection>((host) => channel.post({ kind: 'resolve', host }));
  const engine = new Engine({ log, addresses, gate: new AcceptGate() });
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
