/** What runs say: a table and a chart each, and every reading as CSV. */
import { type Line, lineChart } from '../report/line-chart.ts';
import type { Part } from '../report/page.ts';
import { tableOf } from '../report/table.ts';
import { judge, SCALES, type Verdict } from './judge.ts';
import type { Kept } from './kept.ts';
import { THEIRS } from './readings.ts';
import type { Run } from './run.ts';

const TITLES = {
  statements: 'statements in sessions that stay',
  sessions: 'sessions that come and go',
  connections: 'connections through the relay alone',
  minutes: 'soak: both at once, with kills',
} as const;

const number = (value: number) => Math.round(value).toLocaleString('en');
const mib = (kib = 0) => (kib / 1024).toFixed(1);

function loadLine({ unit, minutes, counts }: Run): string {
  const { statements, sessions, connections, lost, surprises } = counts;
  const done = Object.entries({ statements, sessions, connections }).filter(([, count]) => count > 0);
  const words = done.map(([what, count]) => `${number(count)} ${what}`).join(', ');
  const otherwise = [...surprises].map(([what, count]) => `${what} (${count})`).join('; ');
  const lostWords = lost > 0 ? ` ${lost} steady sessions were lost and opened again.` : '';
  const surprised = otherwise ? ` Otherwise than in a quiet life: ${otherwise}.` : '';
  return `${words} in ${minutes.toFixed(0)} minutes${unit === 'minutes' ? '' : ` (${number((1_000 * counts[unit]) / minutes / 60_000)} a second)`}.${lostWords}${surprised}`;
}

function slopeWords({ slopeKib, isJudged }: Verdict): string {
  if (slopeKib === undefined) return '–';
  return `${slopeKib.toFixed(1)}${isJudged ? '' : ' (not judged)'}`;
}

function table(run: Run, verdicts: readonly Verdict[]): string {
  const { title, limitKib } = SCALES[run.unit];
  const head = [
    'process',
    'resident MiB, before → after',
    `${title} (≤ ${limitKib})`,
    'descriptors',
    'unix sockets',
    'threads',
    '',
  ];
  const rows = verdicts.map((verdict) => {
    const [before, after] = [run.before[verdict.process], run.after[verdict.process]];
    const both = (what: 'descriptors' | 'unixSockets' | 'threads') => `${before?.[what]} → ${after?.[what]}`;
    return [
      verdict.process,
      `${mib(before?.residentKib)} → ${mib(after?.residentKib)}`,
      slopeWords(verdict),
      both('descriptors'),
      both('unixSockets'),
      both('threads'),
      verdict.fault ? `**grows: ${verdict.fault}**` : verdict.isJudged ? 'flat' : 'nothing left behind',
    ];
  });
  return tableOf(head, rows);
}

function chartOf({ unit, samples }: Run): string {
  const names = Object.keys(samples[0]?.readings ?? {});
  const lines = names.map((name): Line => {
    const points = samples.flatMap(({ x, readings }) => {
      const { residentKib = 0 } = readings[name] ?? {};
      // Between a kill and the next start there is none.
      return residentKib === 0 ? [] : [{ x, y: residentKib / 1024 }];
    });
    return { name, points, isTheirs: name === THEIRS };
  });
  return lineChart({ title: `resident memory: ${TITLES[unit]}`, axis: 'MiB; acra-server in grey', unit, lines });
}

export function csvOf(runs: readonly Run[]): string {
  const rows = runs.flatMap(({ unit, samples }) =>
    samples.flatMap(({ x, readings }) =>
      Object.entries(readings).map(([name, { pid, residentKib, descriptors, threads, unixSockets }]) =>
        [unit, x, name, pid, residentKib, descriptors, threads, unixSockets].join(','),
      ),
    ),
  );
  return ['unit,x,process,pid,resident KiB,descriptors,threads,unix sockets', ...rows, ''].join('\n');
}

export interface GrowthReport {
  readonly part: Part;
  /** What grows. */
  readonly faults: readonly string[];
}

export function growthReport({ head, acraServer, runs }: Kept): GrowthReport {
  const verdicts = new Map(runs.map((run) => [run, judge(run)]));
  const faults = [...verdicts].flatMap(([{ unit }, all]) =>
    all.flatMap(({ process, fault }) => (fault ? [`${unit}, ${process}: ${fault}`] : [])),
  );
  const part: Part = {
    name: runs.every(({ unit }) => unit === 'minutes') ? 'soak' : 'growth',
    acraServer,
    pictures: new Map(runs.map((run) => [run.unit, chartOf(run)])),
    csv: new Map(),
    text: (picture) => {
      const sections = [...verdicts].map(([run, all]) =>
        [`#### ${TITLES[run.unit]}`, loadLine(run), picture(run.unit), table(run, all)].join('\n\n'),
      );
      return [head, ...sections].join('\n\n');
    },
  };
  return { part, faults };
}
