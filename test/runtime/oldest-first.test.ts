/** Who came first, and who has most: against the plain way of counting, over many random steps. */
import t from 'tap';
import { OldestFirst } from '../../runtime/oldest-first.ts';
import { seededRandom } from '../support/seeded-random.ts';

t.test('names who has most, and of several who came to that number first', async (t) => {
  const queue = new OldestFirst<number>();
  t.same([queue.busiest, queue.oldest(), queue.countOf('a')], [undefined, undefined, 0]);
  t.equal(queue.busiestWith('b'), 'b', 'nobody else is there');
  queue.add(1, 'a');
  queue.add(2, undefined);
  t.same(queue.busiest, { whose: 'a', count: 1 });
  t.same([queue.busiestWith('b'), queue.busiestWith(undefined)], ['a', undefined], 'a newcomer counts with its own');
  queue.add(3, undefined);
  t.same(queue.busiest, { whose: undefined, count: 2 });
  t.same([queue.oldest(), queue.oldestOf(undefined), queue.oldestOf('b')], [1, 2, undefined]);
  queue.delete(2);
  t.same(queue.busiest, { whose: 'a', count: 1 }, 'it has had one for longer');
  queue.delete(1);
  queue.delete(3);
  t.same([queue.busiest, queue.size], [undefined, 0]);
});

t.test('takes an item once, and gives it back once', async (t) => {
  const queue = new OldestFirst<number>();
  queue.add(1, 'a');
  queue.add(1, 'b');
  t.same([queue.size, queue.countOf('a'), queue.countOf('b')], [1, 1, 0]);
  t.same([queue.delete(1), queue.delete(1), queue.has(1)], [true, false, false]);
});

t.test('counts as one does who looks at all of them', async (t) => {
  const random = seededRandom('who has most');
  const queue = new OldestFirst<number>();
  const plain = new Map<number, string>();
  for (let step = 0; step < 3_000; step++) {
    const [what = 0, who = 0, isCome = 0] = random.bytes(3);
    const item = what % 40;
    if (isCome < 128) {
      const whose = `of ${who % 6}`;
      queue.add(item, whose);
      if (!plain.has(item)) plain.set(item, whose);
    } else if (queue.delete(item) !== plain.delete(item)) t.fail(`step ${step}`);
    const counts = new Map<string, number>();
    for (const whose of plain.values()) counts.set(whose, (counts.get(whose) ?? 0) + 1);
    const { busiest } = queue;
    const most = Math.max(0, ...counts.values());
    const isSame =
      queue.size === plain.size &&
      queue.oldest() === plain.keys().next().value &&
      (busiest?.count ?? 0) === most &&
      (busiest === undefined || counts.get(busiest.whose ?? '') === most);
    if (!isSame) t.fail(`step ${step}`);
  }
  t.pass('3,000 steps');
});
