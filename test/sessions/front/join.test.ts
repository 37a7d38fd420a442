/** Two streams that were joined: speed, ends, and what was still on its way. */
import type { Duplex } from 'node:stream';
import t from 'tap';
import { join } from '../../../sessions/front/join.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { readToEnd, settled, streamPair } from '../support/streams.ts';

function joined() {
  const [a, b] = [streamPair(), streamPair()];
  const clock = new FakeClock();
  join(a.own, b.own, clock);
  return { a, b, clock };
}
const big = Buffer.alloc(2_000_000, 'x');

t.test('passes every byte both ways', async (t) => {
  const { a, b } = joined();
  a.peer.end(big);
  b.peer.end('answer');
  t.ok((await readToEnd(b.peer)).equals(big));
  t.equal((await readToEnd(a.peer)).toString(), 'answer');
});

t.test('reads one end no faster than the other one takes it, either way', async (t) => {
  for (const isBack of [false, true]) {
    const { a, b } = joined();
    const [from, to] = isBack ? [b, a] : [a, b];
    for (let sent = 0; sent < 20; sent++) from.peer.write(Buffer.alloc(100_000));
    await settled();
    t.ok(from.peer.writableLength > 1_500_000, 'the rest waits where it comes from');
    t.ok(to.own.writableLength < 500_000);
    from.peer.end();
    t.equal((await readToEnd(to.peer)).length, 2_000_000);
  }
});

t.test('lets the slower end read all that came before the other one closed', async (t) => {
  const { a, b } = joined();
  b.peer.write(Buffer.alloc(100_000, 'y'));
  await settled();
  b.own.destroy();
  t.equal((await readToEnd(a.peer)).length, 100_000);
});

t.test('ends the other end with each: by an end, a close, an error', async (t) => {
  for (const end of [
    (stream: Duplex) => stream.end(),
    (stream: Duplex) => stream.destroy(),
    (stream: Duplex) => stream.destroy(new RangeError('reset')),
  ]) {
    const { a, b } = joined();
    const ended = readToEnd(b.peer);
    end(a.own);
    if (!a.own.destroyed) a.peer.end();
    t.equal((await ended).length, 0);
  }
});

t.test(
  'throws away what an end goes on sending that nobody takes any more, and cuts it after two seconds',
  async (t) => {
    const { a, b, clock } = joined();
    b.own.destroy();
    a.peer.resume().write(big);
    await settled();
    t.equal(a.peer.writableLength, 0);
    t.notOk(a.own.destroyed);
    clock.advance(2_000);
    await settled();
    t.ok(a.own.destroyed);
  },
);

t.test('ends at once where one end has gone before', async (t) => {
  const [a, b] = [streamPair(), streamPair()];
  a.own.destroy();
  await settled();
  join(a.own, b.own, new FakeClock());
  t.equal((await readToEnd(b.peer)).length, 0);
});
