/** The parts of a statement's cost add up to the whole, and none is told twice. */
import t from 'tap';
import { lossOf, lossTable } from '../../bench/chain/loss-table.ts';
import { Results } from '../../bench/report/results.ts';

/** By point: µs of CPU of an untouched statement and of a protected one. */
const CPU = {
  database: [100, 110],
  'way out': [130, 145],
  guard: [250, 465],
  front: [320, 540],
  'way in': [360, 585],
  'bare acra-server': [400, 500],
} as const;

function results(): Results {
  const all = new Results();
  for (const [point, [untouched, secret]] of Object.entries(CPU)) {
    all.add({ statement: 'untouched' }, point, 0, { cpuUs: untouched, waitUs: 2 * untouched });
    all.add({ statement: 'protected' }, point, 0, { cpuUs: secret, waitUs: 2 * secret });
  }
  return all;
}

t.test('splits the cost into parts that add up to the whole', async (t) => {
  t.same(lossOf(results(), 'untouched', 'cpuUs'), {
    ...{ alone: 100, hops: 30 + 40, guard: 120, engine: 0, tls: 70, whole: 360, bare: 400 },
  });
  const { alone, hops, guard, engine, tls, whole } = lossOf(results(), 'protected', 'cpuUs');
  t.same({ hops, guard, engine, tls }, { hops: 35 + 45, guard: 120, engine: 320 - 120, tls: 75 });
  t.equal(alone + hops + guard + engine + tls, whole);
});

t.test('tells the share of what is more than the database alone', async (t) => {
  const lines = lossTable(results()).split('\n');
  t.match(lines[3], '| 70 (27 %) | 140 (27 %) | 80 (17 %) | 160 (17 %) |', 'hops');
  t.match(lines.at(-1), '| -40 | -80 | 85 | 170 |', 'beside bare acra-server');
});
