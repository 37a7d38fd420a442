/** Addresses are asked for once and kept for their time to live. */
import t from 'tap';
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

t.test('keeps an answer until its time to live is over', async (t) => {
  const asked: string[] = [];
  const book = new AddressBook<string>((host) => asked.push(host));
  book.lookup('a.test', 0, 'x');
  book.learn('a.test', { addresses: ADDRESSES, ttlMs: 100 }, 10);
  t.equal(book.lookup('a.test', 109, 'y'), ADDRESSES);
  t.equal(book.lookup('a.test', 110, 'y'), undefined);
  t.same(asked, ['a.test', 'a.test']);
});

t.test('does not keep a failure', async (t) => {
  const asked: string[] = [];
  const book = new AddressBook<string>((host) => asked.push(host));
  book.lookup('a.test', 0, 'x');
  t.same(book.learn('a.test', { failure: 'SERVFAIL' }, 0), ['x']);
  t.equal(book.lookup('a.test', 0, 'y'), undefined);
  t.equal(asked.length, 2);
  t.same(book.learn('never-asked.test', { failure: 'x' }, 0), []);
});
