/**
 * A table is encrypted anew while four writers and a reader are at it, and while tool, enclave and database are killed: what comes out equals
 * a plain table that saw the same. REENCRYPT_ROWS and REENCRYPT_KILLS make it as long as it is to be (docs/reencrypt.md).
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { seededRandom } from '../support/seeded-random.ts';
import { Insistent, startReader, startWriter } from './support/busy-writers.ts';
import { killsAmong, runAmongKills } from './support/kills.ts';
import { type RotatedData, rotatedData } from './support/rotated-data.ts';

t.setTimeout(1_700_000);

const ROWS = Number(process.env['REENCRYPT_ROWS'] ?? 4_000);
const KILLS = Number(process.env['REENCRYPT_KILLS'] ?? 6);
const SEED = process.env['REENCRYPT_SEED'] ?? 'reencrypt';
const WRITERS = [1, 3, 5, 7];
const BATCH = 500;

async function fill(data: RotatedData): Promise<void> {
  const [application, direct] = [await data.application(), await data.direct()];
  await direct.query(`INSERT INTO twin SELECT g, 'name of ' || g, 'town' FROM generate_series(1, ${ROWS}) g`);
  for (let from = 1; from <= ROWS; from += BATCH) {
    const ids = Array.from({ length: Math.min(BATCH, ROWS - from + 1) }, (_, at) => from + at);
    const sql =
      "INSERT INTO people (id, name, town) SELECT v.id, v.name, 'town' FROM unnest($1::int[], $2::text[]) AS v(id, name)";
    await application.query(sql, [ids, ids.map((id) => `name of ${id}`)]);
  }
  await application.end();
  await direct.end();
}

t.test(`four writers, a reader, and ${KILLS} kills: equal to a table that saw the same`, async (t) => {
  const random = seededRandom(SEED);
  const data = await rotatedData(t);
  await data.serve(data.first);
  await fill(data);
  const rotated = data.copy('rotated', data.first);
  const ids = await data.keys(rotated, [
    'rotate',
    'data',
    '--client',
    data.stack.parts.clientFiles.certificate,
    '--json',
  ]);
  const file = join(data.stack.options.root, 'key-ids.json');
  writeFileSync(file, ids);
  const [{ current }] = JSON.parse(ids).clients;
  await data.serve(rotated);

  let isOver = false;
  const over = () => isOver;
  const writers = WRITERS.map((index) => startWriter(data, index, ROWS, seededRandom(`${SEED} ${index}`), over));
  const reader = startReader(data, ROWS, random, over);
  const failed = Promise.all([reader, ...writers].map(({ done }) => done));
  const words = ['reencrypt', '--key-ids', file, '--batch-rows', '100', '--rows-per-second', '1500', '--json'];
  const among = {
    pair: rotated.pair,
    direct: data.direct,
    done: data.under(current),
    run: () => data.data(rotated, words),
    kills: killsAmong(ROWS, KILLS, random),
  };
  const done = await Promise.race([runAmongKills(t, among), failed.then(() => undefined)]);
  isOver = true;
  const [reads = 0, ...writes] = await failed;
  t.comment(`${reads} reads, ${writes.join(' + ')} writes; ${JSON.stringify(done)}`);
  t.match(done?.report, { outcome: 'proved', states: { old: 0, other: 0, form: 0 } });
  t.equal(done?.killed, KILLS, 'something was killed at every point');

  const all = (table: string) => `SELECT id, name, town FROM ${table} ORDER BY id`;
  const [application, direct] = [new Insistent(data.application), new Insistent(data.direct)];
  const [people, twin] = [await application.query(all('people')), await direct.query(all('twin'))];
  t.same(people.length, twin.length);
  const different = people.filter((row, index) => JSON.stringify(row) !== JSON.stringify(twin[index]));
  t.same(different.slice(0, 3), [], 'every row is as its twin');
  const checked = await data.data(rotated, ['reencrypt', '--key-ids', file, '--check']).outcome;
  t.match(checked, { code: 0, stdout: 'proved people' });
  await application.end();
  await direct.end();
});
