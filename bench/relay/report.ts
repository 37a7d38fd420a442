/** What a run of the relays says: a table for each load, a chart of what matters most in it, and the goals. */
import { barChart } from '../report/bar-chart.ts';
import { type Goal, goalsTable, judge } from '../report/goals.ts';
import { type Facts, headLine } from '../report/machine.ts';
import { MEASURES, type MeasureName } from '../report/measures.ts';
import { writeCharts, writePart } from '../report/page.ts';
import type { Results } from '../report/results.ts';
import { markdownTable } from '../report/table.ts';
import { LOADS } from './measure.ts';
import { OURS } from './relays/start.ts';

export interface RelayReport {
  readonly results: Results;
  readonly facts: Facts;
  readonly rounds: number;
  readonly seconds: number;
  /** Connections that the limit of open files leaves. */
  readonly mostIdle: number;
  /** Into docs/, not only to the caller. */
  readonly isWritten: boolean;
}

interface Section {
  readonly load: string;
  readonly title: string;
  /** What the chart shows first. */
  readonly measures: readonly [MeasureName, ...MeasureName[]];
}

const BULK = ['gigabits', 'cpuMsPerGib'] as const;
const PING = ['cpuUsPerTrip', 'p50Us', 'p99Us', 'p999Us'] as const;

function sections(mostIdle: number): Section[] {
  const measuresOf = (load: string) =>
    load.startsWith('ping') ? PING : load === 'set-up' ? (['perSecond', 'cpuUsPerConnection'] as const) : BULK;
  return [
    ...LOADS.map(({ name, title }) => ({ load: name, title, measures: measuresOf(name) })),
    ...[0, 1_000, mostIdle].map(
      (count): Section => ({
        load: `idle-${count}`,
        title: `${count.toLocaleString('en')} idle connections`,
        measures: ['residentMb', 'idleCpuMsPerSecond'],
      }),
    ),
  ];
}

const TRANSPORTS = { tcp: 'TCP on loopback', unix: 'unix sockets' } as const;

/** What is aimed at beside the best peer. */
const GOALS: readonly Goal[] = (['tcp', 'unix'] as const).flatMap((transport) => [
  { subject: { transport, load: 'ping-1' }, measure: 'cpuUsPerTrip', ratio: 0.8 },
  { subject: { transport, load: 'ping-64' }, measure: 'cpuUsPerTrip', ratio: 0.8 },
  { subject: { transport, load: 'ping-1000' }, measure: 'cpuUsPerTrip', ratio: 0.8 },
  { subject: { transport, load: 'ping-1' }, measure: 'p99Us', ratio: 1.05 },
  { subject: { transport, load: 'ping-64' }, measure: 'p99Us', ratio: 1.05 },
  { subject: { transport, load: 'ping-1000' }, measure: 'p99Us', ratio: 1.05 },
  { subject: { transport, load: 'one-way' }, measure: 'gigabits', ratio: 1.1 },
  { subject: { transport, load: 'both-ways' }, measure: 'gigabits', ratio: 1.1 },
  { subject: { transport, load: 'set-up' }, measure: 'perSecond', ratio: 0.95 },
]);

function chartsOf({ results }: RelayReport, all: readonly Section[]): Map<string, string> {
  const charts = new Map<string, string>();
  for (const transport of ['tcp', 'unix'] as const) {
    for (const { load, title, measures } of all) {
      const subject = { transport, load };
      const [measure] = measures;
      const { title: unit, digits, better } = MEASURES[measure];
      const bars = results
        .whoIn(subject)
        .map((name) => ({ name, ...results.summary(subject, name, measure), isOurs: name === OURS }));
      if (bars.length === 0) continue;
      const axis = `${unit}, ${TRANSPORTS[transport]}; ${better} is better; the line spans all rounds`;
      charts.set(`${transport}-${load}`, barChart({ title, axis, digits, bars }));
    }
  }
  return charts;
}

/** @returns the page's part */
export function relayReport(report: RelayReport): string {
  const { results, facts, rounds, seconds, mostIdle, isWritten } = report;
  const all = sections(mostIdle);
  const shown = isWritten ? writeCharts('relay', chartsOf(report, all)) : new Map<string, string>();
  const judged = GOALS.map((goal) => judge(results, goal, OURS, ['none'])).filter((each) => each !== undefined);
  const tables = Object.entries(TRANSPORTS).flatMap(([transport, words]) =>
    all.flatMap(({ load, title, measures }) => {
      const subject = { transport, load };
      if (results.whoIn(subject).length === 0) return [];
      const chart = shown.get(`${transport}-${load}`);
      return [`#### ${title}, ${words}`, ...(chart ? [chart] : []), markdownTable(results, subject, measures, OURS)];
    }),
  );
  const text = [
    `${headLine(facts, rounds, seconds)}, behind the dot divided by ours.`,
    goalsTable(judged),
    ...tables,
  ].join('\n\n');
  if (isWritten) writePart('relay', text);
  return text;
}
