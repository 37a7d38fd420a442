/** Statements that break a parser: what happens to them, and that nobody else notices. */
import t from 'tap';
import { loadParser } from '../../../acra/statements/parser.ts';
import { Refusal } from '../../../acra/statements/refusal.ts';
import { MAX_SHORT_BYTES, StatementJudge } from '../../../acra/statements/statement-judge.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { tables } from '../../emulator/acra-server/support/vector-cipher.ts';
import { FakeClock } from '../../support/fake-clock.ts';

type Limits = Parameters<typeof StatementJudge.start>[2];
type Test = { teardown(run: () => Promise<void>): void };

async function startJudge(t: Test, limits: Limits = {}, clock = systemClock) {
  const own = await StatementJudge.start(tables, clock, limits);
  t.teardown(() => own.stop());
  const stateOf = (sql: string | Buffer) =>
    own.judge(Buffer.from(sql as string)).then(
      ({ edits }) => edits.length,
      (error) => (error instanceof Refusal ? error.sqlState : error),
    );
  return { own, stateOf };
}

const SHORT = `INSERT INTO v (secret) VALUES ('x')`;
/** Too long to be judged in the caller's thread. */
const LONG = `${SHORT} -- ${'-'.repeat(MAX_SHORT_BYTES)}`;

/** Forms that nest with every few characters; `n` levels of each. */
const NESTING: Readonly<Record<string, (n: number) => string>> = {
  'a sum': (n) => `SELECT ${'1+'.repeat(n)}1`,
  signs: (n) => `SELECT ${'+ '.repeat(n)}1`,
  'prefix operators': (n) => `SELECT ${'~ '.repeat(n)}1`,
  NOT: (n) => `SELECT ${'NOT '.repeat(n)}true`,
  subscripts: (n) => `SELECT ${'a['.repeat(n)}1${']'.repeat(n)}`,
  calls: (n) => `SELECT ${'f('.repeat(n)}1${')'.repeat(n)}`,
  casts: (n) => `SELECT 1${'::a'.repeat(n)}`,
  'sub-selects': (n) => `SELECT ${'(SELECT '.repeat(n)}1${')'.repeat(n)}`,
  parentheses: (n) => `${'('.repeat(n)}SELECT 1${')'.repeat(n)}`,
  joins: (n) => `SELECT * FROM ${'('.repeat(n)}a${' CROSS JOIN b)'.repeat(n)}`,
  unions: (n) => `SELECT 1${' UNION SELECT 1'.repeat(n)}`,
  'EXPLAIN of EXPLAIN': (n) => `${'EXPLAIN '.repeat(n)}SELECT 1`,
  'the elements of a row': (n) => `SELECT ${'ROW('.repeat(n)}1${')'.repeat(n)}`,
  arrays: (n) => `SELECT ${'ARRAY['.repeat(n)}1${']'.repeat(n)}`,
  CASE: (n) => `SELECT ${'CASE WHEN '.repeat(n)}true${' THEN 1 END'.repeat(n)}`,
};

for (const [what, nest] of Object.entries(NESTING)) {
  t.test(`refuses or reads ${what} of any depth, and goes on`, async (t) => {
    const { stateOf } = await startJudge(t);
    for (const depth of [1_000, 6_000, 60_000]) {
      const others = [stateOf(SHORT), stateOf(LONG)];
      const state = await stateOf(nest(depth));
      t.ok(['54001', '42601', 0].includes(state as string), `${depth}: ${state}`);
      t.same(await Promise.all([...others, stateOf(SHORT), stateOf(LONG)]), [1, 1, 1, 1], 'others are judged');
    }
  });

  t.test(`has twice the room that ${what} can take in a text that is judged in the caller's thread`, async (t) => {
    const parser = await loadParser();
    let depth = 1;
    while (nest(depth + 1).length <= 2 * MAX_SHORT_BYTES) depth += 1;
    const outcome = await Promise.try(() => parser.parse(nest(depth))).catch((error) => error);
    t.ok(Array.isArray(outcome) || outcome instanceof Refusal, String(outcome));
  });
}

t.test('refuses a statement that takes too long (54001), and judges the next', async (t) => {
  const clock = new FakeClock();
  const { stateOf } = await startJudge(t, { timeoutMs: 10_000 }, clock);
  const slow = stateOf(LONG);
  const waiting = stateOf(LONG);
  await clock.untilSleeping();
  clock.advance(10_000);
  t.equal(await slow, '54001');
  t.equal(await waiting, 1);
});

t.test('refuses a statement that needs more memory than there is (54001), and judges the next', async (t) => {
  const { stateOf } = await startJudge(t, { heapMiB: 32 });
  const rows = Array.from({ length: 200_000 }, (_, index) => `(${index}, 'x')`).join(',');
  const [large, waiting] = [stateOf(`INSERT INTO v (id, secret) VALUES ${rows}`), stateOf(LONG)];
  t.equal(await large, '54001');
  t.equal(await waiting, 1);
});

t.test('ends the thread after a while, so that what its parser keeps of large statements is freed', async (t) => {
  const { stateOf } = await startJudge(t, { recycleAfterBytes: 5_000 });
  for (let round = 0; round < 5; round++) t.equal(await stateOf(LONG), 1);
});

t.test('gives a long statement the plan that a short one gets', async (t) => {
  const { own } = await startJudge(t);
  const sql = `UPDATE v SET secret = $2, blob = '\\x00' WHERE email = $1`;
  const [short, long] = await Promise.all(
    [sql, `${sql} -- ${'é'.repeat(MAX_SHORT_BYTES)}`].map((each) => own.judge(Buffer.from(each))),
  );
  t.same(long, short);
});

t.test('rejects text that is not UTF-8 (22021)', async (t) => {
  const { stateOf } = await startJudge(t);
  t.equal(await stateOf(Buffer.from(`SELECT '\xe9'`, 'latin1')), '22021');
});

t.test('gives those that wait their verdict when it stops', async (t) => {
  const { own, stateOf } = await startJudge(t);
  const waiting = [stateOf(LONG), stateOf(LONG)];
  await own.stop();
  t.same(await Promise.all(waiting), [1, 1]);
});
