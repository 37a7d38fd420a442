/** Gathers what each process had of the processor while pgbench ran, and prints it as a table: µs a transaction, medians of the rounds. */
import type { Stack } from '../../cli/demo/stack.ts';
import { median } from '../median.ts';
import { type CpuUs, PROCESSES, readCpu, sinceUs } from './cpu.ts';
import type { PgbenchRun, Rate } from './pgbench.ts';

type What = Pick<PgbenchRun, 'script' | 'protocol' | 'clients'>;

/** What carries a session, beside acra-server and the two ends. */
const OURS = ['host-proxy', 'supervisor', 'front', 'guard'] as const;

export class CpuTable {
  readonly #stack: Stack;
  /** By the head of its line. */
  readonly #lines = new Map<string, CpuUs[]>();

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  /** @param acraPid of the acra-server that is asked */
  around({ script, protocol, clients }: What, way: 'bare' | 'chain', acraPid: number, run: () => Rate): Rate {
    const before = readCpu(this.#stack, acraPid);
    const rate = run();
    const spent = sinceUs(before, readCpu(this.#stack, acraPid));
    const head = `| ${script.name} | ${protocol} | ${clients} | ${way} |`;
    const each = Object.fromEntries(PROCESSES.map((name) => [name, spent[name] / rate.count])) as CpuUs;
    this.#lines.set(head, [...(this.#lines.get(head) ?? []), each]);
    return rate;
  }

  print(): void {
    console.log('\nµs of CPU a transaction\n');
    console.log(`| workload | protocol | clients | way | ${PROCESSES.join(' | ')} | ours | all |`);
    console.log(`|${' --- |'.repeat(PROCESSES.length + 6)}`);
    for (const [head, rounds] of this.#lines) {
      const middle = (of: (each: CpuUs) => number) => Math.round(median(rounds.map(of))).toLocaleString('en');
      const sum = (each: CpuUs, names: readonly (keyof CpuUs)[]) =>
        names.reduce((total, name) => total + each[name], 0);
      const columns = PROCESSES.map((name) => middle((each) => each[name]));
      const [ours, all] = [middle((each) => sum(each, OURS)), middle((each) => sum(each, PROCESSES))];
      console.log(`${head} ${[...columns, ours, all].join(' | ')} |`);
    }
  }
}
