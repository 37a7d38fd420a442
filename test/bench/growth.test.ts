/** What the benchmark of growth makes of readings: what leaks is seen, and what only breathes is not taken for it. */
import t from 'tap';
import { Counts } from '../../bench/growth/counts.ts';
import { judge } from '../../bench/growth/judge.ts';
import { keep, readKept } from '../../bench/growth/kept.ts';
import { csvOf, growthReport } from '../../bench/growth/report.ts';
import type { Run } from '../../bench/growth/run.ts';
import { theilSen } from '../../bench/growth/slope.ts';
import { lineChart } from '../../bench/report/line-chart.ts';
import { seededRandom } from '../support/seeded-random.ts';

const READING = { pid: 7, residentKib: 100_000, descriptors: 20, threads: 7, unixSockets: 4 };

interface Shape {
  readonly process?: string;
  /** By the number of the reading. */
  readonly residentKib?: (at: number) => number;
  readonly pid?: (at: number) => number;
  readonly after?: Partial<typeof READING>;
}

/** A hundred readings of 1,010 statements each. */
function runOf({
  process = 'guard',
  residentKib = () => READING.residentKib,
  pid = () => READING.pid,
  after,
}: Shape): Run {
  const counts = new Counts();
  counts.statements = 100_000;
  const samples = Array.from({ length: 100 }, (_, at) => ({
    x: 1_010 * at,
    readings: { [process]: { ...READING, residentKib: residentKib(at), pid: pid(at) } },
  }));
  const [before, end] = [{ [process]: READING }, { [process]: { ...READING, ...after } }];
  return { unit: 'statements', minutes: 2, counts, before, after: end, samples };
}

const faultsOf = (shape: Shape) => judge(runOf(shape)).map(({ fault }) => fault);

t.test('a slope is the middle of all, whatever a few wild values say', async (t) => {
  const points = Array.from({ length: 21 }, (_, x) => ({ x, y: 3 * x + 5 }));
  t.equal(theilSen(points), 3);
  t.equal(theilSen(points.with(4, { x: 4, y: 1e9 }).with(20, { x: 20, y: -1e9 })), 3);
  t.ok(Number.isNaN(theilSen([{ x: 1, y: 1 }])));
});

t.test('sees a leak below what rises and falls between two collections of garbage', async (t) => {
  const random = seededRandom('growth').bytes(100);
  const breathes = (at: number) => 100_000 + 4_000 * (at % 4) + 2 * (random[at] ?? 0);
  t.same(faultsOf({ residentKib: breathes }), [undefined]);
  t.match(faultsOf({ residentKib: (at) => breathes(at) + 40 * at }), [/KiB for 1,000 statements, allowed/]);
});

t.test('leaves out what a program takes while it is young', async (t) => {
  t.same(faultsOf({ residentKib: (at) => 100_000 + 1_000 * Math.min(at, 40) }), [undefined]);
});

t.test('tells the slope of a short run and does not judge it', async (t) => {
  const run = runOf({ residentKib: (at) => 100_000 + 1_000 * at });
  const short = { ...run, samples: run.samples.slice(0, 60) };
  t.match(judge(run), [{ isJudged: true, fault: /KiB for 1,000/ }]);
  t.match(judge(short), [{ isJudged: false, slopeKib: 1_000 / 1.01, fault: undefined }]);
});

t.test('fails one descriptor, socket or thread more, and none less', async (t) => {
  t.same(faultsOf({ after: { descriptors: 21 } }), ['21 descriptors, before 20']);
  t.same(faultsOf({ after: { unixSockets: 5 } }), ['5 unixSockets, before 4']);
  t.same(faultsOf({ after: { threads: 8 } }), ['8 threads, before 7']);
  t.same(faultsOf({ after: { descriptors: 19 } }), [undefined]);
});

t.test('judges of acra-server what we cause: its descriptors, neither memory nor the threads of Go', async (t) => {
  const process = 'acra-server';
  t.same(faultsOf({ process, residentKib: (at) => 100_000 + 1_000 * at, after: { threads: 12 } }), [undefined]);
  t.same(faultsOf({ process, after: { descriptors: 21 } }), ['21 descriptors, before 20']);
});

t.test('judges a process that was started anew since then, and not where it lives too short', async (t) => {
  const leaks = (at: number) => 100_000 + 100 * at;
  t.match(faultsOf({ residentKib: leaks, pid: (at) => (at < 60 ? 7 : 8) }), [/KiB for 1,000/]);
  t.same(faultsOf({ residentKib: leaks, pid: (at) => (at < 90 ? 7 : 8) }), [undefined]);
});

t.test('keeps a run as a file, of which the report is the same', async (t) => {
  const run = runOf({ residentKib: (at) => 100_000 + 40.4 * at });
  run.counts.surprise('a kill');
  const file = `${t.testdir()}/bench/growth.json`;
  const written = { head: 'today', acraServer: 'acra-server', runs: [run] };
  keep(file, written);
  const read = readKept(file);
  const { part, faults } = growthReport(read);
  const text = part.text((name) => `[${name}]`);
  t.equal(
    text,
    growthReport(written).part.text((name) => `[${name}]`),
  );
  t.match(text, '[statements]');
  t.match(text, '**grows: 40.0 KiB for 1,000 statements');
  t.match(text, '100,000 statements in 2 minutes (833 a second). Otherwise than in a quiet life: a kill (1).');
  t.match(faults, [/^statements, guard: 40\.0 KiB/]);
  t.equal(csvOf(read.runs).split('\n').length, 102, 'a head, a line each, an end');
});

t.test('draws each line to its end, with names that do not cover each other', async (t) => {
  const line = (name: string, y: number) => ({
    name,
    isTheirs: false,
    points: [
      { x: 0, y },
      { x: 10, y: y + 1 },
    ],
  });
  const svg = lineChart({ title: 'a < b', axis: 'MiB', unit: 'minutes', lines: [line('one', 99), line('two', 98.5)] });
  t.match(svg, 'a &#60; b');
  const rows = [...svg.matchAll(/<text x="586" y="([\d.]+)">(one|two)</g)].map(([, y]) => Number(y));
  t.equal(rows.length, 2);
  t.ok(Math.abs((rows[0] ?? 0) - (rows[1] ?? 0)) >= 16);
});
