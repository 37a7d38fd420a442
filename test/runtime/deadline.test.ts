import { getEventListeners } from 'node:events';
import t from 'tap';
import { untilAborted } from '../../runtime/abort.ts';
import { Deadline } from '../../runtime/deadline.ts';
import { FakeClock } from '../support/fake-clock.ts';

const listenersOf = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;
const PENDING: Promise<never> = new Promise(() => undefined);

t.test('aborts with its reason when the time is up, and only then has passed', async (t) => {
  const clock = new FakeClock();
  const deadline = new Deadline(clock, 100, undefined, () => 'too late');
  t.notOk(deadline.hasPassed);
  const waiting = untilAborted(PENDING, deadline.signal).catch((reason: unknown) => reason);
  clock.advance(100);
  t.equal(await waiting, 'too late');
  t.ok(deadline.hasPassed);
});

t.test('aborts with its parent, for the reason of that, and has not passed', async (t) => {
  const clock = new FakeClock();
  const parent = new AbortController();
  const deadline = new Deadline(clock, 100, parent.signal);
  parent.abort('stop');
  t.equal(deadline.signal.reason, 'stop');
  clock.advance(100);
  await Promise.resolve();
  t.notOk(deadline.hasPassed);
  t.equal(new Deadline(clock, 100, parent.signal).signal.reason, 'stop', 'of a parent that has aborted before');
});

t.test('leaves nothing on its parent behind when it is disposed of', (t) => {
  const parent = new AbortController();
  {
    using deadline = new Deadline(new FakeClock(), 100, parent.signal);
    t.notOk(deadline.signal.aborted);
    t.equal(listenersOf(parent.signal), 1);
  }
  t.equal(listenersOf(parent.signal), 0);
  t.end();
});

t.test('waits for a promise or the abort of a signal, and leaves no listener', async (t) => {
  const ending = new AbortController();
  t.equal(await untilAborted(Promise.resolve(1), ending.signal), 1);
  await t.rejects(untilAborted(Promise.reject(new Error('broken')), ending.signal), { message: 'broken' });
  t.equal(listenersOf(ending.signal), 0);
  const waiting = untilAborted(PENDING, ending.signal);
  ending.abort(new Error('over'));
  await t.rejects(waiting, { message: 'over' });
  await t.rejects(untilAborted(PENDING, ending.signal), { message: 'over' });
  t.equal(await untilAborted(Promise.resolve(2), ending.signal), 2, 'what is there already comes first');
});
