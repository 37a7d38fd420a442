import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { RecurringDeadline } from '../../runtime/recurring-deadline.ts';
import { FakeClock } from '../support/fake-clock.ts';

function rig() {
  const clock = new FakeClock();
  const stopping = new AbortController();
  let passed = 0;
  const count = () => {
    passed += 1;
  };
  const deadline = new RecurringDeadline(clock, count, stopping.signal);
  const advance = async (ms: number) => {
    clock.advance(ms);
    await turn();
    return passed;
  };
  return { clock, stopping, deadline, advance };
}

t.test('passes when the time of the one that goes on is up, once', async (t) => {
  const { deadline, advance } = rig();
  deadline.begin(100);
  t.equal(await advance(99), 0);
  t.equal(await advance(1), 1);
  t.ok(deadline.hasPassed);
  t.equal(await advance(1_000), 1);
  deadline.begin(100);
  t.notOk(deadline.hasPassed);
});

t.test('takes one timer for all that end in time, and none behind them', async (t) => {
  const { clock, deadline, advance } = rig();
  for (let each = 0; each < 5; each += 1) {
    deadline.begin(100);
    t.equal(await advance(15), 0);
    deadline.end();
  }
  t.same(clock.sleptMs, [100]);
  t.equal(await advance(25), 0);
  t.equal(clock.sleeping, 0);
});

t.test('passes at its own time where the timer was one of another', async (t) => {
  const { deadline, advance } = rig();
  deadline.begin(100);
  t.equal(await advance(50), 0);
  deadline.begin(100);
  t.equal(await advance(99), 0, 'a later one');
  t.equal(await advance(1), 1);
  deadline.begin(100);
  deadline.begin(10);
  t.equal(await advance(10), 2, 'an earlier one');
});

t.test('leaves no timer and no listener behind when it is stopped', async (t) => {
  const { clock, stopping, deadline, advance } = rig();
  deadline.begin(100);
  stopping.abort();
  await turn();
  t.equal(clock.sleeping, 0);
  deadline.begin(100);
  t.equal(await advance(100), 0);
  t.equal(getEventListeners(stopping.signal, 'abort').length, 0);
});
