/** How much longer a benchmark takes is what is planned, corrected by how long what is done has taken. */
import t from 'tap';
import { Progress } from '../../bench/progress.ts';

t.test('corrects what is left by what was done', async (t) => {
  let nowMs = 0;
  const progress = new Progress(
    () => nowMs,
    () => undefined,
  );
  progress.plan(30_000);
  progress.plan(30_000);
  t.equal(progress.left, 'about 60 s');
  progress.step('first', 30_000);
  t.equal(progress.left, 'about 60 s', 'what is being done is not done');
  nowMs = 60_000;
  progress.step('second', 30_000);
  t.equal(progress.left, 'about 60 s', 'twice as slow as was planned');
  nowMs = 120_000;
  progress.step('nothing', 0);
  t.equal(progress.leftMs, 0);
});

t.test('tells longer times in minutes', async (t) => {
  const progress = new Progress(() => 0);
  progress.plan(25 * 60_000);
  t.equal(progress.left, 'about 25 min');
});
