/** pgbench on every way, one after the other in each round, and what each process had of the processor meanwhile. */
import type { Results } from '../report/results.ts';
import { PROCESSES } from './cpu.ts';
import { type Protocol, runPgbench } from './pgbench.ts';
import type { Script } from './selects.ts';
import type { Way } from './ways.ts';

export interface Measured {
  readonly pgbench: string;
  readonly ways: readonly Way[];
  readonly script: Script;
  readonly protocol: Protocol;
  readonly clients: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/** The word for `clients` of what was measured at a low rate. */
export const LOW = '1 at a low rate';

/** Transactions a second, few enough that no way is ever busy: what is left is the way's own time. */
export function lowRate({ name }: Pick<Script, 'name'>): number {
  return name === 'rows' ? 2 : 25;
}

/** @param cpu what each process had, beside the results */
export async function measureRates(measured: Measured, round: number, results: Results, cpu: Results): Promise<void> {
  const { ways, script, protocol, clients } = measured;
  const subject = { workload: script.name, protocol, clients: String(clients) };
  for (const way of ways) {
    const { transactions, cpuUs } = await runPgbench({ ...measured, ...way });
    results.add(subject, way.name, round, { transactions });
    for (const process of PROCESSES) cpu.add({ ...subject, process }, way.name, round, { cpuUs: cpuUs[process] });
  }
}

export async function measureLatency(measured: Measured, round: number, results: Results): Promise<void> {
  const { ways, script, protocol } = measured;
  for (const way of ways) {
    const { latencyMs } = await runPgbench({ ...measured, ...way, clients: 1, rate: lowRate(script) });
    results.add({ workload: script.name, protocol, clients: LOW }, way.name, round, { latencyMs });
  }
}
