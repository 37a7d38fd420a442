import { once } from 'node:events';
import { createServer } from 'node:net';
import t, { type Test as TapTest } from 'tap';
import { silentLogger } from '../../runtime/log.ts';
import type { SupervisedChild } from '../../supervisor/children/child.ts';
import type { Health } from '../../supervisor/health.ts';
import { HealthMonitor } from '../../supervisor/health.ts';
import { FakeClock } from '../support/fake-clock.ts';

const INTERVAL_MS = 10_000;

/** Watches a database that hangs up on everybody; `onProbe` runs while a probe waits for it. */
async function surroundings(t: TapTest, onProbe: (probes: number, monitor: HealthMonitor) => void) {
  let probes = 0;
  const server = createServer((socket) => {
    probes += 1;
    onProbe(probes, monitor);
    socket.on('error', () => undefined).destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const target = { kind: 'tcp', host: '127.0.0.1', port: (server.address() as { port: number }).port } as const;
  const clock = new FakeClock();
  const heard: Health[] = [];
  const waiting: (() => void)[] = [];
  const monitor = new HealthMonitor({
    targets: {
      acra: { target, dialled: () => 0, timeoutMs: 5000, clock },
      database: { target, serverName: 'db.internal', caPem: '', timeoutMs: 5000 },
    },
    intervalMs: INTERVAL_MS,
    acra: { killUnresponsive: () => undefined } as SupervisedChild,
    clock,
    logger: silentLogger,
    onHealth: (health) => {
      heard.push(health);
      for (const wake of waiting.splice(0)) wake();
    },
    onFailure: (error) => t.fail(String(error)),
  });
  t.teardown(() => monitor.stop());
  await monitor.start(new AbortController().signal);
  const untilHeard = async (count: number) => {
    while (heard.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  return { clock, monitor, heard, untilHeard };
}

t.test('probes again at once when it was poked while a probe was under way', async (t) => {
  const { clock, heard, untilHeard } = await surroundings(t, (probes, monitor) => {
    if (probes === 1) monitor.poke();
  });
  await untilHeard(1);
  await clock.untilSleeping();
  t.equal(heard.length, 2, 'one poke, one probe more, before it waits for the interval');
  t.match(heard[1], { healthy: false, code: 'BOOT_DATABASE_UNREACHABLE' });
});

t.test('probes again at once when it is poked between probes, and else after the interval', async (t) => {
  const { clock, monitor, untilHeard } = await surroundings(t, () => undefined);
  await untilHeard(1);
  await clock.untilSleeping();
  monitor.poke();
  await untilHeard(2);
  await clock.untilSleeping();
  clock.advance(INTERVAL_MS);
  await untilHeard(3);
  t.pass();
});
