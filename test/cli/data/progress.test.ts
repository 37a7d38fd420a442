/** What people see of the way, and what keeps the tool to a rate. */
import t from 'tap';
import { Progress, Throttle } from '../../../cli/data/progress.ts';
import { FakeClock } from '../../support/fake-clock.ts';

t.test('tells rows, share, rate and time left, every two seconds', async (t) => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const progress = new Progress(clock, (line) => lines.push(line));
  progress.expect(10_000);
  progress.add(500);
  clock.advance(1_000);
  progress.add(500);
  t.same(lines, []);
  clock.advance(1_000);
  progress.add(1_000);
  t.same(lines, ['2000 rows, 20 %, 1000 rows a second, about 8 s left']);
  clock.advance(1_000);
  progress.add(9_000);
  t.same(lines.length, 1);
  t.equal(progress.line(), '11000 rows, 100 %, 3667 rows a second', 'more rows came than were expected');
});

t.test('keeps to the rate that is asked for', async (t) => {
  const clock = new FakeClock();
  const throttle = new Throttle(clock, 100);
  const { signal } = new AbortController();
  let isDone = false;
  const waited = throttle.after(50, signal).then(() => {
    isDone = true;
  });
  clock.advance(499);
  await Promise.resolve();
  t.notOk(isDone);
  clock.advance(1);
  await waited;
  await new Throttle(clock, undefined).after(1_000_000, signal);
});
