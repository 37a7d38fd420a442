/** Addresses are asked for once and kept for their time to live. */
import t from 'tap';
import type { ResolvedAddress } from '../../../relay/resolver.ts';
import { AddressBook } from '../../../relay/worker/address-book.ts';

const ADDRESSES = [{ family: 4, address: '192.0.2.1' }] as const;

t.test('asks once while an answer is on its way, even if those who waited have gone', async (t) => {
  const asked: string[] = [];
  const book = new AddressBook<string>((host) => asked.push(host));
  t.equal(book.lookup('a.test', 0, 'first'), undefined);
  t.equal(book.lookup('a.test', 0, 'second'), undefined);
  book.forget('a.test', 'first');
  book.forget('a.test', 'second');
  t.equal(book.lookup('a.test', 0, 'third'), undefined);
  t.same(asked, ['a.test']);
  t.same(book.learn('a.test', { addresses: ADDRESSES, ttlMs: 100 }, 10), ['third']);
});

const answer = (ttlMs: number, addresses: readonly ResolvedAddress[] = ADDRESSES) => ({ addresses, ttlMs });
const DAY_MS = 24 * 3600 * 1000;
const UNKNOWN = { failure: 'EAI_AGAIN', isFinal: false };
const NO_SUCH_NAME = { failure: 'ENOTFOUND', isFinal: true };

/** A book that knows one name since 0 ms, for 100 ms. */
function book(): { readonly book: AddressBook<string>; readonly asked: string[] } {
  const asked: string[] = [];
  const known = new AddressBook<string>((host) => asked.push(host));
  known.lookup('a.test', 0, 'first');
  known.learn('a.test', answer(100), 0);
  asked.length = 0;
  return { book: known, asked };
}

t.test('asks for nothing while an answer is fresh', async (t) => {
  const { book: known, asked } = book();
  t.same(known.lookup('a.test', 99, 'x'), answer(100));
  t.same(asked, []);
});

t.test('uses an answer past its time to live while it asks, once, however long that takes', async (t) => {
  const { book: known, asked } = book();
  for (const nowMs of [100, 5_000, 60_000, DAY_MS]) t.same(known.lookup('a.test', nowMs, 'x'), answer(100));
  t.same(asked, ['a.test']);
  const moved = answer(100, [{ family: 4, address: '192.0.2.2' }]);
  t.same(known.learn('a.test', moved, DAY_MS), [], 'nobody waited');
  t.same(known.lookup('a.test', DAY_MS + 1, 'x'), moved);
});

t.test('uses no answer that is a day past its time to live', async (t) => {
  const { book: known, asked } = book();
  t.equal(known.lookup('a.test', 100 + DAY_MS, 'x'), undefined);
  t.same(asked, ['a.test']);
  t.same(known.learn('a.test', UNKNOWN, 100 + DAY_MS), ['x']);
});

t.test('keeps an older answer when DNS fails, and asks again only half a minute later', async (t) => {
  const { book: known, asked } = book();
  known.lookup('a.test', 1_000, 'x');
  known.learn('a.test', UNKNOWN, 6_000);
  t.same(known.lookup('a.test', 6_001, 'x'), answer(100));
  t.same(known.lookup('a.test', 35_999, 'x'), answer(100));
  t.equal(asked.length, 1);
  t.same(known.lookup('a.test', 36_000, 'x'), answer(100));
  t.equal(asked.length, 2);
});

t.test('drops an older answer when the name is known to have no address any more', async (t) => {
  const { book: known } = book();
  known.lookup('a.test', 1_000, 'x');
  known.learn('a.test', NO_SUCH_NAME, 1_100);
  t.same(known.lookup('a.test', 1_101, 'x'), NO_SUCH_NAME);
});

t.test('keeps a failure for two seconds, so that not everybody waits for it', async (t) => {
  const asked: string[] = [];
  const unknown = new AddressBook<string>((host) => asked.push(host));
  unknown.lookup('a.test', 0, 'x');
  t.same(unknown.learn('a.test', UNKNOWN, 5_000), ['x']);
  t.same(unknown.lookup('a.test', 6_999, 'y'), UNKNOWN);
  t.equal(asked.length, 1);
  t.equal(unknown.lookup('a.test', 7_000, 'y'), undefined);
  t.equal(asked.length, 2);
  t.same(unknown.learn('never-asked.test', UNKNOWN, 0), []);
});

t.test('asks at once when no address took a connection, but not for each', async (t) => {
  const { book: known, asked } = book();
  known.learn('a.test', answer(60_000), 0);
  known.doubt('a.test', 999);
  t.same(asked, [], 'too new to have changed');
  known.doubt('a.test', 1_000);
  known.doubt('a.test', 1_001);
  t.same(asked, ['a.test']);
  t.same(known.lookup('a.test', 1_002, 'x'), answer(60_000), 'and goes on with what is known');
  known.doubt('never-asked.test', 0);
});
