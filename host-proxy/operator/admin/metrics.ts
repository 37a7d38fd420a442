/** Prometheus metrics of both daemons. The enclave's samples are numbers that it chose to tell; names are checked on the wire. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Relay } from '../../../relay/relay.ts';
import type { EnclaveView } from '../../enclave/view.ts';
import type { LogSink } from '../../logs/log-sink.ts';

const PREFIX = 'acra_enclave_';

function setRoutes(
  gauge: Gauge<'side' | 'route' | 'counter'>,
  side: string,
  routes: Readonly<Record<string, object>>,
): void {
  for (const [route, counters] of Object.entries(routes)) {
    for (const [counter, value] of Object.entries(counters)) {
      if (typeof value === 'number') gauge.set({ side, route, counter }, value);
    }
  }
}

export function createMetrics(view: EnclaveView, relay: Relay, sink: LogSink, isReady: () => boolean): Registry {
  const registry = new Registry();
  const registers = [registry];
  new Gauge({
    name: `${PREFIX}ready`,
    help: '1 while applications can connect and their sessions work',
    registers,
    collect() {
      this.set(isReady() ? 1 : 0);
    },
  });
  new Gauge({
    name: `${PREFIX}state`,
    help: 'The enclave’s state: 1 on the label that holds',
    labelNames: ['state'],
    registers,
    collect() {
      this.reset();
      this.set({ state: view.state }, 1);
    },
  });
  new Counter({
    name: `${PREFIX}log_records_total`,
    help: 'Log records received from the enclave, and lost there to a full buffer',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset();
      this.inc({ outcome: 'received' }, view.logs.received);
      this.inc({ outcome: 'dropped' }, view.logs.dropped);
    },
  });
  new Counter({
    name: `${PREFIX}log_write_failures_total`,
    help: 'Attempts to write a line of the log that failed, to a full disk say',
    registers,
    collect() {
      this.reset();
      this.inc(sink.refused);
    },
  });
  new Gauge({
    name: `${PREFIX}route`,
    help: 'Counters of every relay route on both sides',
    labelNames: ['side', 'route', 'counter'],
    registers,
    collect() {
      this.reset();
      setRoutes(this, 'parent', relay.counters());
      setRoutes(this, 'enclave', view.metrics?.routes ?? {});
    },
  });
  new Gauge({
    name: `${PREFIX}sample`,
    help: 'What the supervisor reports of itself and of acra-server',
    labelNames: ['name'],
    registers,
    collect() {
      this.reset();
      for (const [name, value] of Object.entries(view.metrics?.samples ?? {})) this.set({ name }, value);
    },
  });
  new Gauge({
    name: `${PREFIX}host_proxy_resident_bytes`,
    help: 'Resident memory of host-proxy',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  return registry;
}
