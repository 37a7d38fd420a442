/** What the benchmarks make of numbers: no run may look better, or another one worse, than it was. */
import t from 'tap';
import { judgeRatio, tellVerdict } from '../../bench/check/ratio.ts';
import { median } from '../../bench/median.ts';
import { goalsTable, judge } from '../../bench/report/goals.ts';
import { nameAcraServer, replacePart, textForTerminal, wouldHideAcraServer } from '../../bench/report/page.ts';
import { Results } from '../../bench/report/results.ts';
import { markdownTable } from '../../bench/report/table.ts';

const SUBJECT = { transport: 'tcp', load: 'ping-1' };

function results(byWho: Readonly<Record<string, readonly number[]>>): Results {
  const all = new Results();
  for (const [who, values] of Object.entries(byWho)) {
    for (const [round, cpuUsPerTrip] of values.entries()) all.add(SUBJECT, who, round, { cpuUsPerTrip });
  }
  return all;
}

t.test('judges a goal beside the best peer, round by round, and never beside what is no peer', async (t) => {
  const all = results({ none: [1, 1, 1], ours: [8, 9, 10], slow: [20, 20, 20], best: [10, 10, 12] });
  const goal = { subject: SUBJECT, measure: 'cpuUsPerTrip', ratio: 0.8 } as const;
  const judged = judge(all, goal, 'ours', ['none']);
  t.match(judged, { peer: 'best', measured: 0.9, isReached: false });
  t.strictSame(
    judged?.rounds.map((each) => each.toFixed(2)),
    ['0.80', '0.90', '0.83'],
  );
  t.match(
    goalsTable(judged ? [judged] : []),
    /\| best \| \*\*0\.90\*\* \(0\.80, 0\.90, 0\.83\) \| ≤ 0\.8 \|/,
    'a missed one is told in bold',
  );
  t.match(judge(all, { ...goal, ratio: 0.9 }, 'ours', ['none']), { isReached: true });
  t.equal(
    judge(results({ ours: [1], none: [1] }), goal, 'ours', ['none']),
    undefined,
    'alone there is nothing to judge',
  );
});

t.test('shows the middle, the spread, and what each is beside ours', async (t) => {
  const table = markdownTable(
    results({ ours: [8, 10, 9], best: [18, 17, 20] }),
    SUBJECT,
    ['cpuUsPerTrip', 'p50Us'],
    'ours',
  );
  t.match(table, '| **ours** | 9.00 (8.00–10.00) | – |');
  t.match(table, '| best | 18.00 (17.00–20.00) · 2.00 | – |');
});

t.test('writes every number of a run as CSV', async (t) => {
  t.equal(
    results({ ours: [8.25, 9] }).csv(),
    'transport,load,who,round,measure,value\n"tcp","ping-1","ours","1","cpuUsPerTrip","8.25"\n"tcp","ping-1","ours","2","cpuUsPerTrip","9"\n',
  );
});

t.test('fails a ratio that is dearer or cheaper than its band, and one without a band', async (t) => {
  const expected = { hop: [0.8, 1.2] } as const;
  const judged = (measured: number, name = 'hop') => judgeRatio({ name, measured, rounds: [measured] }, expected);
  t.same(
    [0.8, 1.2, 0.79, 1.21].map((measured) => judged(measured).is),
    ['as expected', 'as expected', 'cheaper', 'dearer'],
  );
  t.equal(judged(1, 'new').is, 'not expected');
  t.equal(judged(Number.NaN).is, 'not measured', 'a run that measured nothing proves nothing');
  t.match(tellVerdict(judged(1.21)), 'NOT OK hop: 1.21 (1.21); expected 0.8 to 1.2: dearer');
});

t.test('replaces its own part of a page, and refuses a page without one', async (t) => {
  const page = 'before\n<!-- relay: made by make bench -->\nold\n<!-- relay: end -->\nafter\n';
  t.equal(replacePart(page, 'relay', 'new\n'), page.replace('old', 'new'));
  t.equal(replacePart(replacePart(page, 'relay', 'new'), 'relay', 'old'), page);
  t.throws(() => replacePart(page, 'chain', 'new'), /no part/);
});

t.test('keeps the numbers of the real acra-server from those of the stand-in', async (t) => {
  const real = nameAcraServer('/usr/bin/acra-server, named by ACRA_SERVER (sha256 796147f04fb7…)');
  const standIn = nameAcraServer('stand-in: no acra-server was found');
  t.equal(real, 'acra-server, sha256 796147f04fb7…');
  const holding = (of: string) =>
    `<!-- chain: made by make bench -->\n2026-11-30: ${of}; 2 cores\n<!-- chain: end -->\n2026-11-30: acra-server, sha256 79`;
  const part = (acraServer?: string) => ({ name: 'chain', ...(acraServer === undefined ? {} : { acraServer }) });
  t.equal(wouldHideAcraServer(holding(real), part(standIn)), true);
  t.equal(wouldHideAcraServer(holding(standIn), part(standIn)), false, 'only its own part counts');
  t.equal(wouldHideAcraServer(holding(real), part(real)), false);
  t.equal(wouldHideAcraServer(holding(real), part()), false, 'a part without acra-server');
});

t.test('shows no pictures in a terminal', async (t) => {
  const text = (picture: (name: string) => string) => ['before', picture('all'), 'after'].join('\n\n');
  const part = { name: 'relay', text, pictures: new Map([['all', '<svg/>']]), csv: new Map() };
  t.equal(textForTerminal(part), 'before\n\nafter');
});

t.test('tells a limit by its middle, in bold where it is not kept', async (t) => {
  const limit = { what: 'idle, MB', values: [90, 99, 120], most: 100, digits: 0 };
  t.match(goalsTable([], [limit]), '| idle, MB | – | 99 (90, 99, 120) | < 100 |');
  t.match(goalsTable([], [{ ...limit, most: 99 }]), '| **99** (');
  t.notMatch(goalsTable([], [{ ...limit, values: [] }]), 'idle', 'what was not measured is not told');
});

t.test('takes the middle between two of an even number', async (t) => {
  t.equal(median([3, 1, 2]), 2);
  t.equal(median([4, 1, 2, 3]), 2.5);
  t.ok(Number.isNaN(median([])));
});
