import t from 'tap';
import { untilAll } from '../../runtime/until-all.ts';

t.test('waits for all when one has failed, and tells what failed', async (t) => {
  const { promise: slow, resolve } = Promise.withResolvers<void>();
  let isOver = false;
  const waiting = untilAll([Promise.reject(new RangeError('first')), slow.then(() => (isOver = true))]);
  waiting.catch(() => undefined);
  resolve();
  await t.rejects(waiting, new RangeError('first'));
  t.ok(isOver);
});

t.test('resolves when all have', async (t) => {
  await t.resolves(untilAll([Promise.resolve(1), Promise.resolve(2)]));
  await t.resolves(untilAll([]));
});
