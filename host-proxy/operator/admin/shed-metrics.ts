/** Prometheus metrics of connections that the public ports shed (enclave/shed-alarm.ts): one to alert on, one to count. */
import type { Registry } from 'prom-client';
import { Counter, Gauge } from 'prom-client';
import type { SheddingStatus } from '../host-status.ts';

export function addShedMetrics(registry: Registry, status: () => SheddingStatus): Registry {
  const registers = [registry];
  new Gauge({
    name: 'acra_enclave_ingress_shedding',
    help: '1 while the public ports shed connections, for a limit or to make room for others',
    registers,
    collect() {
      this.set(status().active ? 1 : 0);
    },
  });
  new Counter({
    name: 'acra_enclave_ingress_shed_total',
    help: 'Connections that the public ports shed',
    registers,
    collect() {
      this.reset();
      this.inc(status().total);
    },
  });
  return registry;
}
