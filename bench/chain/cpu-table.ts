/** Gathers what each process had of the processor while pgbench ran, and tells it as a table: µs a transaction, medians of the rounds. */
import { median } from '../median.ts';
import { type CpuUs, OURS, PROCESSES, readCpu, sinceUs } from './cpu.ts';
import type { PgbenchRun, Rate } from './pgbench.ts';
import type { Way } from './ways.ts';

type What = Pick<PgbenchRun, 'script' | 'protocol' | 'clients'>;

export class CpuTable {
  /** By the head of its line. */
  readonly #lines = new Map<string, CpuUs[]>();

  around({ script, protocol, clients }: What, { name, stack, acraPid = 0 }: Way, run: () => Rate): Rate {
    const before = readCpu(stack, acraPid);
    const rate = run();
    const spent = sinceUs(before, readCpu(stack, acraPid));
    const head = `| ${script.name} | ${protocol} | ${clients} | ${name} |`;
    const each = Object.fromEntries(PROCESSES.map((process) => [process, spent[process] / rate.count])) as CpuUs;
    this.#lines.set(head, [...(this.#lines.get(head) ?? []), each]);
    return rate;
  }

  get markdown(): string {
    const rows = [...this.#lines].map(([head, rounds]) => {
      const middle = (of: (each: CpuUs) => number) => Math.round(median(rounds.map(of))).toLocaleString('en');
      const sum = (each: CpuUs, names: readonly (keyof CpuUs)[]) =>
        names.reduce((total, name) => total + each[name], 0);
      const columns = PROCESSES.map((name) => middle((each) => each[name]));
      const [ours, all] = [middle((each) => sum(each, OURS)), middle((each) => sum(each, PROCESSES))];
      return `${head} ${[...columns, ours, all].join(' | ')} |`;
    });
    const head = `| workload | protocol | clients | way | ${PROCESSES.join(' | ')} | ours | all |`;
    return [head, `|${' --- |'.repeat(PROCESSES.length + 6)}`, ...rows].join('\n');
  }
}
