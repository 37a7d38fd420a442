/** What a run of the chain says: the goals, a picture for each protocol, where the time goes, and a table of everything. */
import { drawBars } from '../report/bars.ts';
import { folded } from '../report/folded.ts';
import { type Goal, goalsTable, judge, type Limit } from '../report/goals.ts';
import { type Facts, headLine } from '../report/machine.ts';
import { MEASURES, type MeasureName, summarise } from '../report/measures.ts';
import type { Part } from '../report/page.ts';
import type { Results, Subject } from '../report/results.ts';
import { OURS, PROCESSES } from './cpu.ts';
import { decryptTable } from './decrypt.ts';
import { lossTable } from './loss-table.ts';
import type { Memory } from './memory.ts';
import { LOW, lowRate } from './rates.ts';
import { SCRIPTS } from './scripts.ts';
import type { Starts } from './starts.ts';
import { ALONE, PASSTHROUGH, TERMINATE } from './ways.ts';

export interface ChainReport {
  readonly results: Results;
  /** Processor time of each process, subject and way as in the results. */
  readonly cpu: Results;
  readonly loss: Results;
  readonly decrypt: Results;
  readonly facts: Facts;
  readonly acraServer: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly starts: Starts;
  readonly recoveriesMs: readonly number[];
  readonly idle: Memory;
  readonly afterLoad: Memory;
}

/** Transactions a second beside bare acra-server. */
const AIMS: readonly (readonly [workload: string, protocol: string, ratio: number])[] = [
  ['protected', 'simple', 1.2],
  ['protected', 'prepared', 1],
  ['untouched', 'simple', 2.5],
  ['untouched', 'prepared', 2],
  ['rows', 'simple', 3],
  ['rows', 'prepared', 3],
];
const MAX_START_MS = 1_200;
const MAX_RECOVERY_MS = 300;
const MAX_SUPERVISOR_MIB = 90;

function clientsIn(results: Results): string[] {
  const all = results.subjects().map(({ clients = '' }) => clients);
  return [...new Set(all)].filter((clients) => clients !== LOW);
}

function goalsOf({ results, starts, recoveriesMs, idle }: ChainReport): string {
  const goals = clientsIn(results).flatMap((clients) =>
    AIMS.map(([workload, protocol, ratio]): Goal => {
      return { subject: { workload, protocol, clients }, measure: 'transactions', ratio };
    }),
  );
  const limits: Limit[] = [
    { what: 'cold start, ms', values: starts.readyMs, most: MAX_START_MS, digits: 0 },
    {
      what: 'acra-server killed, to the next protected value, ms',
      values: recoveriesMs,
      most: MAX_RECOVERY_MS,
      digits: 0,
    },
    {
      what: 'supervisor, resident MiB, idle (with the emulated security module, which an enclave has not)',
      values: [idle['supervisor'] ?? Number.NaN],
      most: MAX_SUPERVISOR_MIB,
      digits: 0,
    },
  ];
  return goalsTable(
    goals.map((each) => judge(results, each, TERMINATE, [ALONE, PASSTHROUGH])),
    limits,
  );
}

/** Beside PostgreSQL alone nobody else's bar would be seen: its numbers are in the table. */
function pictures(results: Results): Map<string, string> {
  const protocols = [...new Set(results.subjects().map(({ protocol = '' }) => protocol))];
  const columns = clientsIn(results);
  return new Map(
    protocols.map((protocol) => {
      const rows = SCRIPTS.flatMap(({ name: workload, words }) => {
        const panels = columns.map((clients) =>
          results.bars({ workload, protocol, clients }, 'transactions')?.filter(({ name }) => name !== ALONE),
        );
        if (panels.every((panel) => panel === undefined)) return [];
        return [{ title: `${workload}: ${words}`, digits: 0, panels }];
      });
      const title = `Transactions a second, ${protocol} protocol: more is better`;
      const heads = columns.map((clients) => `${clients} client${clients === '1' ? '' : 's'}`);
      return [protocol, drawBars({ title, columns: heads, rows, ours: TERMINATE })];
    }),
  );
}

const spelled = (value: number, digits: number) =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** A line for each of the subjects, a column for each way. */
function waysTable(results: Results, subjects: readonly Subject[], measure: MeasureName): string {
  const ways = results.whoIn({});
  const { digits } = MEASURES[measure];
  const rows = subjects.map((subject) => {
    const cells = ways.map((way) => {
      const { middle, least, most } = results.summary(subject, way, measure);
      if (Number.isNaN(middle)) return '–';
      return `${spelled(middle, digits)} (${spelled(least, digits)}–${spelled(most, digits)})`;
    });
    return `| ${[...Object.values(subject), ...cells].join(' | ')} |`;
  });
  const head = [...Object.keys(subjects[0] ?? {}), ...ways];
  return [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...rows].join('\n');
}

function latencyTable({ results }: ChainReport): string {
  const low = results.subjects().filter(({ clients }) => clients === LOW);
  return waysTable(results, low, 'latencyMs');
}

function cpuTable({ results, cpu }: ChainReport): string {
  const rows = results
    .subjects()
    .filter(({ clients }) => clients !== LOW)
    .flatMap((subject) =>
      results.whoIn(subject).map((way) => {
        const us = (process: string) => cpu.summary({ ...subject, process }, way, 'cpuUs').middle;
        const sum = (names: readonly string[]) => names.reduce((total, name) => total + us(name), 0);
        const cells = [...PROCESSES.map(us), sum(OURS), sum(PROCESSES)].map((value) => spelled(value, 0));
        return `| ${[...Object.values(subject), way, ...cells].join(' | ')} |`;
      }),
    );
  const head = ['workload', 'protocol', 'clients', 'way', ...PROCESSES, 'ours', 'all'];
  return [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...rows].join('\n');
}

function startsTable({ starts, recoveriesMs, idle, afterLoad }: ChainReport): string {
  const span = (all: readonly number[]) => {
    const { middle, least, most } = summarise(all);
    return `${Math.round(middle)} (${Math.round(least)}–${Math.round(most)})`;
  };
  const phases = [...starts.phasesMs].map(([name, ms]) => `${name} ${Math.round(ms)}`).join(', ');
  const memory = (of: Memory) =>
    Object.entries(of)
      .map(([name, mib]) => `${name} ${Math.round(mib)}`)
      .join(', ');
  return [
    '| what | ms |',
    '| --- | --- |',
    `| supervisor started, to ready | ${span(starts.readyMs)} |`,
    `| of these, phase by phase | ${phases} |`,
    `| acra-server killed, to the next protected value | ${span(recoveriesMs)} |`,
    '',
    `Resident MiB, idle: ${memory(idle)}; after the load: ${memory(afterLoad)}. The simulated supervisor holds the emulated security module too.`,
  ].join('\n');
}

const LOSS_NOTE =
  'Simple protocol; processor time of all programs together with eight clients, waiting with one. Each line is measured with and without the part; the engine’s is what the guard’s step takes more for a protected statement than for an untouched one; in brackets the share of what is more than PostgreSQL alone.';

export function chainPart(report: ChainReport): Part {
  const { results, cpu, loss, decrypt, facts, acraServer, rounds, seconds } = report;
  const busy = results.subjects().filter(({ clients }) => clients !== LOW);
  const rates = [...new Set(SCRIPTS.map(({ name }) => `${name} ${lowRate({ name })}`))].join(', ');
  return {
    name: 'chain',
    acraServer,
    pictures: pictures(results),
    csv: new Map([
      ['chain.csv', results.csv()],
      ['chain-cpu.csv', cpu.csv()],
      ['chain-parts.csv', loss.csv()],
      ['chain-decrypt.csv', decrypt.csv()],
    ]),
    text: (picture) =>
      [
        `${headLine(facts, rounds, seconds, acraServer)}.`,
        goalsOf(report),
        ...[...pictures(results).keys()].map(picture),
        '#### What of a statement is hops, TLS, guard and engine',
        lossTable(loss),
        LOSS_NOTE,
        '#### Starts and memory',
        startsTable(report),
        '#### Attested Decrypt',
        decryptTable(decrypt),
        '#### Latency',
        `ms, the mean of one client that asks at a low rate (a second: ${rates}).`,
        latencyTable(report),
        folded('All rates, a second', waysTable(results, busy, 'transactions')),
        folded('µs of CPU a transaction, by program', cpuTable(report)),
      ].join('\n\n'),
  };
}
