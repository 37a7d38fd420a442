/**
 * Statements by chance of nearly all that SQL has, judged and rewritten with a made-up protector, on a real PostgreSQL, and the same on plain
 * columns: answer and tables are equal, or one of the two fails, or it is refused. A value that is compared in plaintext with a
 * protected column finds nothing there, and so is seen. FAIL_CLOSED_CASES and FAIL_CLOSED_SEED say how many and which.
 */
import t from 'tap';
import { deepStatement } from './support/deep/statements.ts';
import { Twins } from './support/deep/twins.ts';

const CASES = Number(process.env['FAIL_CLOSED_CASES'] ?? 3_000);
const SEED = Number(process.env['FAIL_CLOSED_SEED'] ?? 29);
const TOLD_EVERY = 20_000;
/** What a view yields that nobody listed comes as it is stored. */
const IS_OF_VIEW = /\bv\b/;

t.test('gives what plain columns would, fails, or refuses', async (t) => {
  const twins = await Twins.start(t);
  const ends = { equal: 0, refused: 0, failed: 0, error: 0, view: 0 };
  for (let index = 0; index < CASES; index += 1) {
    const statement = deepStatement(`${SEED}/${index}`);
    const ending = await twins.ending(statement);
    if (ending.kind !== 'different') ends[ending.kind] += 1;
    else if (IS_OF_VIEW.test(statement.sql)) ends.view += 1;
    else {
      t.same(ending.own, ending.twin, `case ${SEED}/${index}: ${statement.sql} -- ${JSON.stringify(statement.values)}`);
      return;
    }
    if (index % TOLD_EVERY === TOLD_EVERY - 1) t.comment(`${index + 1} cases: ${JSON.stringify(ends)}`);
  }
  t.comment(JSON.stringify(ends));
  t.ok(ends.equal > CASES / 6, 'many of them work');
  t.ok(ends.error < CASES / 200, 'few that plain columns take fail');
  t.ok(ends.view < CASES / 200, 'few read a view that is not listed');
});
