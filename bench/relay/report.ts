/** What a run of the relays says: the goals, one picture of all loads, and a table for each. */
import { type BarPicture, drawBars } from '../report/bars.ts';
import { folded } from '../report/folded.ts';
import { goalsTable, judge, type Limit } from '../report/goals.ts';
import { type Facts, headLine } from '../report/machine.ts';
import { MEASURES, type MeasureName } from '../report/measures.ts';
import type { Part } from '../report/page.ts';
import type { Results } from '../report/results.ts';
import { markdownTable } from '../report/table.ts';
import { LOADS } from './measure.ts';
import { NONE, OURS } from './relays/kinds.ts';
import { TRANSPORTS, type Transport } from './transports.ts';

export interface RelayReport {
  readonly results: Results;
  readonly facts: Facts;
  readonly rounds: number;
  readonly seconds: number;
  /** Connections that the limit of open files left. */
  readonly mostIdle: number;
  readonly leftOut: readonly string[];
}

interface Section {
  readonly load: string;
  readonly title: string;
  /** What the picture shows first. */
  readonly measures: readonly [MeasureName, ...MeasureName[]];
}

/** As many as are asked for, where descriptors suffice. */
export const WANTED_IDLE = 10_000;
export const idleCounts = (most: number): number[] => [0, Math.min(1_000, most), most];

const BULK = ['gigabits', 'cpuMsPerGib'] as const;
const PING = ['cpuUsPerTrip', 'p50Us', 'p99Us', 'p999Us'] as const;
const SET_UP = ['perSecond', 'cpuUsPerConnection'] as const;

function sections(mostIdle: number): Section[] {
  const measuresOf = (load: string) => (load.startsWith('ping') ? PING : load === 'set-up' ? SET_UP : BULK);
  return [
    ...LOADS.map(({ name, title }) => ({ load: name, title, measures: measuresOf(name) })),
    ...idleCounts(mostIdle).map(
      (count): Section => ({
        load: `idle-${count}`,
        title: `${count.toLocaleString('en')} idle connections`,
        measures: ['residentMb', 'idleCpuMsPerSecond'],
      }),
    ),
  ];
}

/** What is aimed at beside the best peer. */
const AIMS: readonly (readonly [load: string, measure: MeasureName, ratio: number])[] = [
  ['ping-1', 'cpuUsPerTrip', 0.8],
  ['ping-64', 'cpuUsPerTrip', 0.8],
  ['ping-1000', 'cpuUsPerTrip', 0.8],
  ['ping-1', 'p99Us', 1.05],
  ['ping-64', 'p99Us', 1.05],
  ['ping-1000', 'p99Us', 1.05],
  ['one-way', 'gigabits', 1.1],
  ['both-ways', 'gigabits', 1.1],
  ['set-up', 'perSecond', 0.95],
];
const MAX_IDLE_MB = 100;

function transportsIn(results: Results): Transport[] {
  const measured = new Set(results.subjects().map(({ transport }) => transport));
  return (Object.keys(TRANSPORTS) as Transport[]).filter((transport) => measured.has(transport));
}

function goalsOf({ results, mostIdle }: RelayReport): string {
  const judged = transportsIn(results).flatMap((transport) =>
    AIMS.map(([load, measure, ratio]) =>
      judge(results, { subject: { transport, load }, measure, ratio }, OURS, [NONE]),
    ),
  );
  const limits = transportsIn(results).map((transport): Limit => {
    const subject = { transport, load: `idle-${mostIdle}` };
    const words = `${transport}: ${mostIdle.toLocaleString('en')} idle connections, resident MB`;
    return { what: words, values: results.values(subject, OURS, 'residentMb'), most: MAX_IDLE_MB, digits: 1 };
  });
  return goalsTable(judged, limits);
}

function pictureOf({ results }: RelayReport, all: readonly Section[]): BarPicture {
  const transports = transportsIn(results);
  const rows = all.map(({ load, title, measures: [measure] }) => {
    const { title: unit, digits, better } = MEASURES[measure];
    const panels = transports.map((transport) => results.bars({ transport, load }, measure));
    return { title: `${title}: ${unit}, ${better} is better`, digits, panels };
  });
  return {
    title: 'Relays beside each other',
    columns: transports.map((transport) => TRANSPORTS[transport].title),
    rows: rows.filter(({ panels }) => panels.some((panel) => panel !== undefined)),
    ours: OURS,
  };
}

function tablesOf({ results }: RelayReport, all: readonly Section[]): string {
  return transportsIn(results)
    .map((transport) => {
      const tables = all.flatMap(({ load, title, measures }) => {
        const subject = { transport, load };
        if (results.whoIn(subject).length === 0) return [];
        return [`**${title}**`, markdownTable(results, subject, measures, OURS)];
      });
      return folded(`All numbers: ${TRANSPORTS[transport].title}`, ...tables);
    })
    .join('\n\n');
}

export function relayPart(report: RelayReport): Part {
  const { results, facts, rounds, seconds, mostIdle, leftOut } = report;
  const all = sections(mostIdle);
  const lacks = [
    ...(leftOut.length > 0 ? [`Left out: ${leftOut.join('; ')}.`] : []),
    ...(mostIdle < WANTED_IDLE
      ? [
          `The limit of open files, which may not be raised here, leaves ${mostIdle} idle connections of ${WANTED_IDLE}.`,
        ]
      : []),
  ];
  return {
    name: 'relay',
    pictures: new Map([['all', drawBars(pictureOf(report, all))]]),
    csv: new Map([['relay.csv', results.csv()]]),
    text: (picture) =>
      [
        [`${headLine(facts, rounds, seconds)}, behind the dot divided by ours.`, ...lacks].join(' '),
        goalsOf(report),
        picture('all'),
        tablesOf(report, all),
      ].join('\n\n'),
  };
}
