import t from 'tap';
import { TokenBucket } from '../../runtime/token-bucket.ts';
import { FakeClock } from '../support/fake-clock.ts';

const OPTIONS = { burst: 3, perSecond: 2 };
const takeAll = (bucket: TokenBucket) => {
  let taken = 0;
  while (bucket.take()) taken += 1;
  return taken;
};

t.test('gives a burst at once, then so many a second', async (t) => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(OPTIONS, clock);
  t.equal(takeAll(bucket), 3);
  for (const [afterMs, expected] of [
    [499, 0],
    [1, 1],
    [1_000, 2],
    [3_600_000, 3],
  ] as const) {
    clock.advance(afterMs);
    t.equal(takeAll(bucket), expected, `after ${afterMs} ms`);
  }
});

t.test('keeps to its pace whatever becomes of the wall clock', async (t) => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(OPTIONS, clock);
  takeAll(bucket);
  for (const byMs of [3_600_000, -7_200_000]) {
    clock.stepWall(byMs);
    t.equal(takeAll(bucket), 0);
  }
});

t.test('knows when it has not been used for a while', async (t) => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(OPTIONS, clock);
  t.ok(bucket.isFull);
  bucket.take();
  t.notOk(bucket.isFull);
  clock.advance(500);
  t.ok(bucket.isFull);
});
