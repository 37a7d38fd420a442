/** The heap of deadlines against a sorted list. */
import t from 'tap';
import type { Deadline } from '../../../relay/worker/deadlines.ts';
import { Deadlines } from '../../../relay/worker/deadlines.ts';
import { seededRandom } from '../../support/seeded-random.ts';

function item(): Deadline {
  return { deadlineMs: 0, heapIndex: -1 };
}

t.test('tells how long to wait', async (t) => {
  const deadlines = new Deadlines();
  t.equal(deadlines.timeoutMs(0), -1, 'for ever');
  const one = item();
  deadlines.set(one, 100);
  t.equal(deadlines.timeoutMs(40), 60);
  t.equal(deadlines.timeoutMs(200), 0, 'overdue');
  deadlines.set(one, 10_000_000);
  t.equal(deadlines.timeoutMs(0), 60_000, 'never longer than a minute');
  deadlines.clear(one);
  deadlines.clear(one);
  t.equal(deadlines.timeoutMs(0), -1);
});

t.test('gives out what is due in order, through random changes', async (t) => {
  const random = seededRandom('deadlines');
  const deadlines = new Deadlines();
  const items = Array.from({ length: 200 }, item);
  for (let step = 0; step < 5000; step++) {
    const [index, action, high, low] = random.bytes(4);
    const chosen = items[index! % items.length]!;
    if (action! < 180) deadlines.set(chosen, high! * 256 + low!);
    else deadlines.clear(chosen);
  }
  const expected = items
    .filter(({ heapIndex }) => heapIndex >= 0)
    .map(({ deadlineMs }) => deadlineMs)
    .sort((a, b) => a - b);
  t.equal(deadlines.size, expected.length);
  t.equal(deadlines.takeDue((expected[0] ?? 0) - 1), undefined, 'nothing is due yet');
  const given: number[] = [];
  for (let due = deadlines.takeDue(65_536); due !== undefined; due = deadlines.takeDue(65_536)) {
    given.push(due.deadlineMs);
  }
  t.same(given, expected);
  t.equal(deadlines.size, 0);
});
