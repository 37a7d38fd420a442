/** pgbench on every way, one after the other in each round, and what each process had of the processor meanwhile. */
import type { Results } from '../report/results.ts';
import type { CpuTable } from './cpu-table.ts';
import { type Protocol, runPgbench, type Script } from './pgbench.ts';
import { ALONE, type Way } from './ways.ts';

export interface Measured {
  readonly pgbench: string;
  readonly ways: readonly Way[];
  readonly script: Script;
  readonly protocol: Protocol;
  readonly clients: number;
  readonly seconds: number;
}

/** Few enough that no way is ever busy: what is left is the way's own time. */
export const LOW_RATE = 50;

export function measureRates(measured: Measured, round: number, results: Results, cpu: CpuTable): void {
  const { ways, script, protocol, clients } = measured;
  for (const way of ways) {
    const run = { ...measured, ...way };
    const rate = () => runPgbench(run);
    const { transactions } = way.name === ALONE ? rate() : cpu.around(run, way, rate);
    results.add({ workload: script.name, protocol, clients: String(clients) }, way.name, round, { transactions });
  }
}

export function measureLatency(measured: Measured, round: number, results: Results): void {
  const { ways, script, protocol, clients } = measured;
  for (const way of ways) {
    const { latencyMs } = runPgbench({ ...measured, ...way, rate: LOW_RATE });
    results.add({ workload: script.name, protocol, clients: `${clients} at ${LOW_RATE} a second` }, way.name, round, {
      latencyMs,
    });
  }
}
