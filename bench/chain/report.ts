/** What a run of the chain says: transactions a second on each way, latency at a low rate, processor time, hops, starts, and the goals. */
import { barChart } from '../report/bar-chart.ts';
import { type Goal, goalsTable, judge } from '../report/goals.ts';
import { type Facts, headLine } from '../report/machine.ts';
import { summarise } from '../report/measures.ts';
import { writeCharts, writePart } from '../report/page.ts';
import type { Results, Subject } from '../report/results.ts';
import type { Starts } from './starts.ts';
import { ALONE, PASSTHROUGH, TERMINATE } from './ways.ts';

export interface ChainReport {
  readonly results: Results;
  readonly facts: Facts;
  readonly acraServer: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly starts: Starts;
  readonly recoveriesMs: readonly number[];
  /** Markdown. */
  readonly memory: string;
  readonly cpu: string;
  readonly hops: string;
  readonly isWritten: boolean;
}

const goal = (workload: string, protocol: string, clients: number, ratio: number): Goal => ({
  subject: { workload, protocol, clients: String(clients) },
  measure: 'transactions',
  ratio,
});
const GOALS = [1, 8, 64].flatMap((clients) => [
  goal('protected', 'simple', clients, 1.2),
  goal('protected', 'prepared', clients, 1),
  goal('untouched', 'simple', clients, 2.5),
  goal('untouched', 'prepared', clients, 2),
  goal('rows', 'simple', clients, 3),
  goal('rows', 'prepared', clients, 3),
]);

function ratesTable(results: Results): string {
  const ways = results.whoIn({});
  const row = (subject: Subject) => {
    const isLatency = subject['clients']?.includes(' at ') ?? false;
    const cells = ways.map((way) => {
      const { middle, least, most } = results.summary(subject, way, isLatency ? 'latencyMs' : 'transactions');
      const words = (value: number) => (isLatency ? value.toFixed(2) : Math.round(value).toLocaleString('en'));
      return Number.isNaN(middle) ? '–' : `${words(middle)} (${words(least)}–${words(most)})`;
    });
    return `| ${[...Object.values(subject), ...cells].join(' | ')} |`;
  };
  const head = ['workload', 'protocol', 'clients', ...ways];
  return [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...results.subjects().map(row)].join('\n');
}

function startsTable({ readyMs, phasesMs }: Starts, recoveriesMs: readonly number[]): string {
  const span = (all: readonly number[]) => {
    const { middle, least, most } = summarise(all);
    return `${Math.round(middle)} (${Math.round(least)}–${Math.round(most)})`;
  };
  const phases = [...phasesMs].map(([name, ms]) => `${name} ${ms}`).join(', ');
  return [
    '| what | ms |',
    '| --- | --- |',
    `| supervisor started, to ready | ${span(readyMs)} |`,
    `| of these, phase by phase | ${phases} |`,
    `| acra-server killed, to the next protected value | ${span(recoveriesMs)} |`,
  ].join('\n');
}

function chartsOf(results: Results): Map<string, string> {
  return new Map(
    results.subjects().flatMap((subject): [string, string][] => {
      const { workload = '', protocol, clients = '' } = subject;
      if (clients.includes(' at ')) return [];
      const bars = results.whoIn(subject).map((name) => {
        return { name, ...results.summary(subject, name, 'transactions'), isOurs: name === TERMINATE };
      });
      const title = `${workload}, ${protocol}, ${clients} client${clients === '1' ? '' : 's'}`;
      const axis = 'transactions a second; more is better; the line spans all rounds';
      return [[`${workload}-${protocol}-${clients}`, barChart({ title, axis, digits: 0, bars })]];
    }),
  );
}

/** @returns the page's part */
export function chainReport(report: ChainReport): string {
  const { results, facts, acraServer, rounds, seconds, starts, recoveriesMs, memory, cpu, hops, isWritten } = report;
  const shown = isWritten ? writeCharts('chain', chartsOf(results)) : new Map<string, string>();
  const judged = GOALS.map((each) => judge(results, each, TERMINATE, [ALONE, PASSTHROUGH]));
  const text = [
    `${headLine(facts, rounds, seconds, acraServer)}.`,
    goalsTable(judged.filter((each) => each !== undefined)),
    '#### Transactions a second, and ms at a low rate',
    ...shown.values(),
    ratesTable(results),
    '#### µs of CPU a transaction',
    cpu,
    '#### µs that one client waits for an untouched statement, simple protocol',
    hops,
    '#### Starts and memory',
    startsTable(starts, recoveriesMs),
    memory,
  ].join('\n\n');
  if (isWritten) writePart('chain', text);
  return text;
}
