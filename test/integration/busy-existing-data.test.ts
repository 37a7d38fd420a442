/**
 * Rows are encrypted while four writers and a reader are at the table, and while tool, enclave and database are killed: what comes out
 * equals a plain table that saw the same. EXISTING_ROWS and EXISTING_KILLS make it as long as it is to be (docs/encrypt-existing-data.md).
 */
import t from 'tap';
import { seededRandom } from '../support/seeded-random.ts';
import { Insistent, startReader, startWriter } from './support/busy-writers.ts';
import { existingData } from './support/existing-data.ts';
import { killsAmong, runAmongKills } from './support/kills.ts';

const ROWS = Number(process.env['EXISTING_ROWS'] ?? 4_000);
const KILLS = Number(process.env['EXISTING_KILLS'] ?? 6);
const SEED = process.env['EXISTING_SEED'] ?? 'existing data';
const WRITERS = [1, 3, 5, 7];

const filled = 'SELECT count(*)::int FROM people WHERE name_protected IS NOT NULL';

t.test(`four writers, a reader, and ${KILLS} kills: equal to a table that saw the same`, async (t) => {
  const random = seededRandom(SEED);
  const data = await existingData(t, ROWS);
  t.equal((await data.tool(['prepare', '--apply']).outcome).code, 0);
  let isOver = false;
  const over = () => isOver;
  const writers = WRITERS.map((index) => startWriter(data, index, ROWS, seededRandom(`${SEED} ${index}`), over));
  const reader = startReader(data, ROWS, random, over);
  const failed = Promise.all([reader, ...writers].map(({ done }) => done));
  const run = () => data.tool(['encrypt', '--batch-rows', '100', '--rows-per-second', '1500', '--json']);
  const kills = killsAmong(ROWS, KILLS, random);
  const encrypted = await Promise.race([
    runAmongKills(t, { pair: data.stack.enclave, direct: data.direct, done: filled, run, kills }),
    failed.then(() => undefined),
  ]);
  // Some statements behind the switch, too.
  const since = new Insistent(data.application);
  for (let count = 0; count < 50; count += 1) await since.query('SELECT id FROM people WHERE name = $1', ['name of 8']);
  await since.end();
  isOver = true;
  const [reads = 0, ...writes] = await failed;
  const lost = [reader, ...writers].map(({ session }) => session.lost.filter((code) => code === '57P01').length);
  t.comment(
    `${reads} reads, ${writes.join(' + ')} writes; ended by 57P01: ${lost.join(', ')}; ${JSON.stringify(encrypted)}`,
  );
  t.match(encrypted?.report, { outcome: 'switched' });
  t.equal(encrypted?.killed, KILLS, 'something was killed at every point');
  const all = (table: string) => `SELECT id, name, town FROM ${table} ORDER BY id`;
  const [application, direct] = [new Insistent(data.application), new Insistent(data.direct)];
  const [people, twin] = [await application.query(all('people')), await direct.query(all('twin'))];
  t.same(people.length, twin.length);
  t.same(
    people.filter((row, index) => JSON.stringify(row) !== JSON.stringify(twin[index])).slice(0, 3),
    [],
    'every row is as its twin',
  );
  const [[plain] = []] = await direct.query(
    'SELECT count(*)::int FROM people WHERE name IS NOT NULL AND octet_length(name) > 0 AND get_byte(name, 0) <> 127',
  );
  t.equal(plain, 0, 'none is stored in plaintext');
  await application.end();
  await direct.end();
});
