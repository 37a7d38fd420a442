/** Writing to a side that reads slowly or not at all, and the end of a connection. */
import t from 'tap';
import { sayGoodbye } from '../../sessions/say-goodbye.ts';
import { writeAll } from '../../sessions/write-all.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { readNow, readToEnd, settled, streamPair } from './support/streams.ts';

const patient = new AbortController().signal;
const big = Buffer.alloc(1_000_000, 'x');

t.test('writes all parts in order, and waits until the other side reads', async (t) => {
  const { own, peer } = streamPair();
  let isDone = false;
  const writing = writeAll(own, [Buffer.from('a'), Buffer.from('b'), big], patient).then(() => {
    isDone = true;
  });
  await settled();
  t.notOk(isDone);
  const read: Buffer[] = [];
  while (Buffer.concat(read).length < big.length + 2) {
    read.push(readNow(peer));
    await settled();
  }
  await writing;
  t.ok(Buffer.concat(read).equals(Buffer.concat([Buffer.from('ab'), big])));
});

t.test('leaves no listener behind, however often a side was slow', async (t) => {
  const { own, peer } = streamPair();
  const before = own.listenerCount('close');
  for (let round = 0; round < 20; round++) {
    const writing = writeAll(own, [big], patient);
    peer.resume();
    await writing;
  }
  t.same([own.listenerCount('close'), own.listenerCount('drain')], [before, 0]);
});

t.test('gives a write up when its signal aborts or the other side is gone, and leaves nothing behind', async (t) => {
  for (const end of ['abort', 'destroy'] as const) {
    const { own } = streamPair();
    const before = own.listenerCount('close');
    const waiting = new AbortController();
    const writing = writeAll(own, [big], waiting.signal);
    await settled();
    if (end === 'abort') {
      waiting.abort(new RangeError('late'));
      await t.rejects(writing, { message: 'late' });
    } else {
      own.destroy();
      await writing;
    }
    for (const event of ['drain', 'close'])
      t.equal(own.listenerCount(event), event === 'close' ? before : 0, `${end}: ${event}`);
  }
});

t.test('writes nothing where nobody is left, and nothing of nothing', async (t) => {
  const { own, peer } = streamPair();
  await writeAll(own, [], patient);
  own.destroy();
  await writeAll(own, [big], patient);
  await settled();
  t.equal(peer.readableLength, 0);
});

t.test('lets the other side read the last word though it goes on sending', async (t) => {
  const { own, peer } = streamPair();
  own.write(big);
  sayGoodbye(own, Buffer.from('the end'), new FakeClock());
  peer.write(big);
  t.ok((await readToEnd(peer)).equals(Buffer.concat([big, Buffer.from('the end')])));
  await settled();
  t.equal(own.readableLength, 0, 'what it sent was thrown away');
});

t.test('cuts a side that stays, after two seconds, and keeps no timer for one that goes', async (t) => {
  const clock = new FakeClock();
  const stays = streamPair();
  sayGoodbye(stays.own, undefined, clock);
  clock.advance(1_999);
  await settled();
  t.notOk(stays.own.destroyed);
  clock.advance(1);
  await settled();
  t.ok(stays.own.destroyed);
  const goes = streamPair();
  sayGoodbye(goes.own, Buffer.from('x'), clock);
  goes.peer.resume().end();
  await settled();
  t.ok(goes.own.destroyed);
  t.equal(clock.sleeping, 0);
});
