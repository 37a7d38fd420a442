import t from 'tap';
import { RecipientKeys } from '../../kms/recipient-keys.ts';
import { FakeClock } from '../support/fake-clock.ts';

t.test('keeps a key for requests of a while, and makes another then', async (t) => {
  const clock = new FakeClock();
  const keys = new RecipientKeys(clock);
  const first = await keys.take();
  clock.advance(5 * 60_000 - 1);
  t.equal(await keys.take(), first);
  clock.advance(1);
  const second = await keys.take();
  t.notSame(second.publicKeyDer, first.publicKeyDer);
  keys.forget();
  t.notSame((await keys.take()).publicKeyDer, second.publicKeyDer);
});

t.test('makes another key after a thousand requests', async (t) => {
  const keys = new RecipientKeys(new FakeClock());
  const first = await keys.take();
  for (let used = 1; used < 1_000; used++) if ((await keys.take()) !== first) t.fail(`request ${used + 1}`);
  t.not(await keys.take(), first);
});

t.test('makes one key for requests that come together', async (t) => {
  const keys = new RecipientKeys(new FakeClock());
  const [one, two] = await Promise.all([keys.take(), keys.take()]);
  t.equal(one, two);
});
