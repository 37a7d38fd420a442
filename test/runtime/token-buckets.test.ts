/** Token buckets by name: what one takes no other misses, and of how many names one knows. */
import t from 'tap';
import { TokenBuckets } from '../../runtime/token-buckets.ts';
import { FakeClock } from '../support/fake-clock.ts';

const begun = (take: () => boolean, tries = 1_000) => Array.from({ length: tries }, take).filter(Boolean).length;

t.test('holds each name to its own', async (t) => {
  const clock = new FakeClock();
  const limits = new TokenBuckets({ burst: 3, perSecond: 3 }, clock);
  t.equal(
    begun(() => limits.take('one')),
    3,
  );
  t.equal(
    begun(() => limits.take('another')),
    3,
  );
  t.equal(
    begun(() => limits.take(undefined)),
    3,
  );
  clock.advance(1_000);
  t.equal(
    begun(() => limits.take('one')),
    3,
  );
});

t.test('knows a bounded number of names, and forgets those first that hold nobody back', async (t) => {
  const clock = new FakeClock();
  const limits = new TokenBuckets({ burst: 1, perSecond: 1 }, clock);
  t.ok(limits.take('early'));
  clock.advance(500);
  let taken = 0;
  t.equal(
    begun(() => limits.take(`name ${taken++}`), 9_999),
    9_999,
  );
  clock.advance(600);
  t.ok(limits.take('the next one'), 'in the place of the early one, which may begin again');
  t.notOk(limits.take('name 0'));
  t.ok(limits.take('and another'), 'in the place of the oldest');
  t.ok(limits.take('name 0'));
});
