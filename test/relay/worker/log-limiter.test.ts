/** Repeated records are suppressed, counted, and told later. */
import t from 'tap';
import { LogLimiter } from '../../../relay/worker/log-limiter.ts';

t.test('passes ten of a kind in ten seconds, then tells how many it kept back', async (t) => {
  const limiter = new LogLimiter();
  const admitted = Array.from({ length: 25 }, (_, index) => limiter.admit('a', index));
  t.equal(admitted.filter((suppressed) => suppressed === 0).length, 10);
  t.same([...limiter.untold()], [['a', 15]]);
  t.equal(limiter.admit('a', 10_000), 15);
  t.equal(limiter.admit('a', 10_001), 0);
  t.same([...limiter.untold()], []);
});

t.test('keeps kinds apart, and forgets those of a route', async (t) => {
  const limiter = new LogLimiter();
  for (let i = 0; i < 11; i++) limiter.admit('one shed', 0);
  t.equal(limiter.admit('two shed', 0), 0);
  limiter.forget('one ');
  t.equal(limiter.admit('one shed', 0), 0);
});
