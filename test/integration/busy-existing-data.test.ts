/**
 * Rows are encrypted while four writers and a reader are at the table, and while tool, enclave and database are killed: what comes out
 * equals a plain table that saw the same. EXISTING_ROWS and EXISTING_KILLS make it as long as it is to be (docs/encrypt-existing-data.md).
 */
import t, { type Test } from 'tap';
import { seededRandom } from '../support/seeded-random.ts';
import { childPid } from '../support/stack.ts';
import { Insistent, startReader, startWriter } from './support/busy-writers.ts';
import { type ExistingData, existingData } from './support/existing-data.ts';

const ROWS = Number(process.env['EXISTING_ROWS'] ?? 4_000);
const KILLS = Number(process.env['EXISTING_KILLS'] ?? 6);
const SEED = process.env['EXISTING_SEED'] ?? 'existing data';
const WRITERS = [1, 3, 5, 7];

const filled = 'SELECT count(*)::int FROM people WHERE name_protected IS NOT NULL';

type Victim = 'tool' | 'guard' | 'acra' | 'front' | 'database' | 'supervisor';
const VICTIMS: readonly Victim[] = ['tool', 'guard', 'database', 'acra', 'front', 'supervisor'];

async function kill(data: ExistingData, victim: Victim): Promise<void> {
  const { enclave } = data.stack;
  if (victim === 'database') {
    const client = await data.direct();
    const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
    // A server process that is killed takes all others with it, and the database recovers from its log.
    process.kill(rows[0].pid, 'SIGKILL');
  } else if (victim === 'supervisor') {
    enclave.supervisor?.kill('SIGKILL');
    await enclave.supervisor?.exited;
    enclave.startSupervisor();
  } else if (victim !== 'tool') process.kill(childPid(enclave, victim), 'SIGKILL');
}

/** Starts the tool, and again until it has made the switch; at each of these counts of filled rows something is killed. */
async function encryptAmongKills(
  t: Test,
  data: ExistingData,
  kills: readonly { readonly at: number; readonly victim: Victim }[],
) {
  const watch = new Insistent(data.direct);
  const left = [...kills];
  for (let starts = 1; ; starts += 1) {
    const run = data.tool(['encrypt', '--batch-rows', '100', '--rows-per-second', '1500', '--json']);
    let isOver = false;
    void run.outcome.then(() => {
      isOver = true;
    });
    while (!isOver && left[0]) {
      const [[count] = []] = await watch.query(filled).catch(() => [[Number.POSITIVE_INFINITY]]);
      if (count < left[0].at) continue;
      const { victim, at } = left.shift()!;
      t.comment(`${victim} is killed at ${at} (${count})`);
      if (victim === 'tool') run.child.kill('SIGKILL');
      await kill(data, victim);
      if (victim === 'tool') break;
    }
    const { code, stdout, stderr } = await run.outcome;
    if (code === 0) {
      await watch.end();
      return { starts, report: JSON.parse(stdout), killed: kills.length - left.length };
    }
    if (code !== undefined && code !== 69) throw new Error(`the tool ended with ${code}: ${stdout}${stderr}`);
  }
}

t.test(`four writers, a reader, and ${KILLS} kills: equal to a table that saw the same`, async (t) => {
  const random = seededRandom(SEED);
  const data = await existingData(t, ROWS);
  t.equal((await data.tool(['prepare', '--apply']).outcome).code, 0);
  let isOver = false;
  const over = () => isOver;
  const writers = WRITERS.map((index) => startWriter(data, index, ROWS, seededRandom(`${SEED} ${index}`), over));
  const reader = startReader(data, ROWS, random, over);
  const failed = Promise.all([reader, ...writers].map(({ done }) => done));
  const kills = Array.from({ length: KILLS }, (_, index) => ({
    at: Math.floor(((index + 0.3 + (random.bytes(1)[0] ?? 0) / 512) * ROWS * 0.9) / KILLS),
    victim: VICTIMS[index % VICTIMS.length]!,
  }));
  const encrypted = await Promise.race([encryptAmongKills(t, data, kills), failed.then(() => undefined)]);
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
