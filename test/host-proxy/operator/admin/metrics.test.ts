import t, { type Test as TapTest } from 'tap';
import { EnclaveView } from '../../../../host-proxy/enclave/view.ts';
import { LogSink } from '../../../../host-proxy/logs/log-sink.ts';
import { createMetrics } from '../../../../host-proxy/operator/admin/metrics.ts';
import { Relay } from '../../../../relay/relay.ts';
import { silentLogger } from '../../../../runtime/log.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

function reporting(t: TapTest) {
  const clock = new FakeClock();
  const view = new EnclaveView(clock, 20_000);
  const sink = new LogSink({ level: 'info', file: '/dev/full', clock });
  t.teardown(() => sink.close());
  const registry = createMetrics(view, new Relay({ logger: silentLogger }), sink, () => true);
  const report = (samples: Record<string, number>, routes: Record<string, Record<string, number>>) => {
    view.metrics = { type: 'metrics', samples, routes };
    view.heard();
  };
  return { clock, view, sink, report, scrape: () => registry.metrics() };
}

const OWN = { side: 'enclave', route: 'kms', counter: 'opened' };
const ROUTE = `acra_enclave_route{${Object.entries(OWN)
  .map(([name, value]) => `${name}="${value}"`)
  .join(',')}} 3`;
const SAMPLE = 'acra_enclave_sample{name="uptime_ms"} 7';

for (const [what, goAway] of [
  ['whose machine has ended', ({ view }) => view.machineEnded()],
  ['that is silent', ({ clock }) => clock.advance(20_001)],
] as const satisfies readonly (readonly [string, (parts: ReturnType<typeof reporting>) => void])[]) {
  t.test(`serves no numbers of an enclave ${what}`, async (t) => {
    const parts = reporting(t);
    parts.report({ uptime_ms: 7 }, { kms: { opened: 3 } });
    const alive = await parts.scrape();
    t.match(alive, ROUTE);
    t.match(alive, SAMPLE);
    goAway(parts);
    const dead = await parts.scrape();
    t.notMatch(dead, 'side="enclave"');
    t.notMatch(dead, 'uptime_ms');
  });
}

t.test('forgets a number that the enclave no longer tells', async (t) => {
  const { report, scrape } = reporting(t);
  report({ uptime_ms: 7, acra_exits: 1 }, {});
  await scrape();
  report({ uptime_ms: 7 }, {});
  const text = await scrape();
  t.match(text, SAMPLE);
  t.notMatch(text, 'acra_exits');
});

t.test('counts the lines that could not be written', async (t) => {
  const { sink, scrape } = reporting(t);
  sink.log('info', 'test.line');
  sink.log('info', 'test.line');
  t.match(await scrape(), 'acra_enclave_log_write_failures_total 2');
});
