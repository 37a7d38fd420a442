/** One leg of a session, read message by message. */
import fc from 'fast-check';
import t from 'tap';
import { HeldBytes } from '../../sessions/held-bytes.ts';
import { MessageStream } from '../../sessions/message-stream.ts';
import { client as frames } from '../emulator/acra-server/support/frames.ts';
import { outcomeOf } from './support/outcome.ts';
import { settled, streamPair, writeInPieces } from './support/streams.ts';

const patient = new AbortController().signal;
const message = (body: Uint8Array | string) => {
  const frame = Buffer.concat([Buffer.from('Q\0\0\0\0'), Buffer.from(body as string)]);
  frame.writeUInt32BE(frame.length - 1, 1);
  return frame;
};

function stream(maxBytes = 1000) {
  const { own, peer } = streamPair();
  return { own, peer, leg: new MessageStream(own, { maxBytes }) };
}

/** Hands over until the leg ends. */
async function all(leg: MessageStream): Promise<Buffer[]> {
  const found: Buffer[] = [];
  await leg.each(async (messages) => {
    found.push(...messages.map(({ frame }) => frame));
  });
  return found;
}

t.test('hands over every message in order, first one by one, then all that has come', async (t) => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 30 }), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(bodies, fc.array(fc.nat(200), { maxLength: 4 }), fc.nat(7), async (each, cuts, first) => {
      const { peer, leg } = stream();
      const sent = each.map((body) => message(body));
      const writing = writeInPieces(peer, Buffer.concat(sent), cuts).then(() => peer.end());
      const found: Buffer[] = [];
      while (found.length < Math.min(first, sent.length)) found.push((await leg.next(patient)).frame);
      found.push(...(await all(leg)));
      await writing;
      t.same(found, sent);
    }),
    { seed: 51, numRuns: 60 },
  );
});

t.test('reads no further while nobody takes what has come, and goes on when somebody does', async (t) => {
  const { own, peer, leg } = stream(1024 * 1024);
  const sent = Array.from({ length: 40 }, (_, index) => message(Buffer.alloc(100_000, index)));
  for (const frame of sent) peer.write(frame);
  await settled();
  t.ok(own.isPaused());
  t.ok(peer.writableLength > 2_000_000, 'the other side keeps the rest');
  peer.end();
  t.same(await all(leg), sent);
});

t.test('hands over what came before an end, then resolves; waits for one more fail (08006)', async (t) => {
  const { peer, leg } = stream();
  peer.write(Buffer.concat([message('a'), message('b').subarray(0, 3)]));
  peer.end();
  await settled();
  t.same((await leg.next(patient)).frame, message('a'));
  t.equal(await outcomeOf(leg.next(patient)), '08006');
  t.same(await all(leg), []);
});

t.test('hands over what came before junk, then fails for good (08P01)', async (t) => {
  const { own, peer, leg } = stream();
  peer.write(Buffer.concat([message('a'), Buffer.from('Q\x7f\xff\xff\xff', 'latin1')]));
  await settled();
  t.same((await leg.next(patient)).frame, message('a'));
  t.equal(await outcomeOf(leg.next(patient)), '08P01');
  t.equal(await outcomeOf(all(leg)), '08P01');
  t.ok(own.isPaused(), 'nothing more is read');
});

t.test('fails as whoever takes the messages fails', async (t) => {
  const { peer, leg } = stream();
  peer.write(message('a'));
  await t.rejects(
    leg.each(() => Promise.reject(new RangeError('broken'))),
    { message: 'broken' },
  );
});

t.test('waits until the signal aborts, and loses no message by it', async (t) => {
  const { peer, leg } = stream();
  const waiting = new AbortController();
  const late = leg.next(waiting.signal);
  waiting.abort(new RangeError('late'));
  await t.rejects(late, { message: 'late' });
  peer.write(message('a'));
  t.same((await leg.next(patient)).frame, message('a'));
});

t.test('tells of messages that are too long in their place, and takes longer ones once it may', async (t) => {
  const { own, peer } = streamPair();
  const leg = new MessageStream(own, { maxBytes: 20, ifLonger: 'skip' });
  const long = frames.query('x'.repeat(50)).frame;
  peer.write(Buffer.concat([message('a'), long, message('b')]));
  t.same((await leg.next(patient)).frame, message('a'));
  t.match(await leg.next(patient), { type: 'Q', skippedBytes: long.length });
  t.same((await leg.next(patient)).frame, message('b'));
  leg.maxBytes = 100;
  peer.write(long);
  t.same((await leg.next(patient)).frame, long);
});

t.test('throws away what comes after it was told to discard, and holds nothing of it', async (t) => {
  const { own, peer, leg } = stream(1024 * 1024);
  for (let sent = 0; sent < 40; sent++) peer.write(message(Buffer.alloc(100_000)));
  await settled();
  leg.discard();
  for (let turn = 0; turn < 50 && peer.writableLength > 0; turn++) await settled();
  t.equal(peer.writableLength + own.readableLength, 0);
});

t.test('ends when the connection breaks', async (t) => {
  const { own, leg } = stream();
  const next = outcomeOf(leg.next(patient));
  own.destroy(new RangeError('reset'));
  t.equal(await next, '08006');
});

const LONG = 100_000;

function sharing(room: HeldBytes) {
  const { own, peer } = streamPair();
  return { own, peer, leg: new MessageStream(own, { maxBytes: 1024 * 1024, ifLonger: 'skip', room }) };
}

t.test('holds long messages of all its sharers to one room, and gives each back when it was dealt with', async (t) => {
  const room = new HeldBytes(2 * LONG);
  const [one, other] = [sharing(room), sharing(room)];
  const long = message(Buffer.alloc(LONG));
  one.peer.write(long.subarray(0, 6));
  await settled();
  t.equal(room.bytes, long.length, 'from the moment when its length is known');
  other.peer.write(Buffer.concat([long, message('short')]));
  t.match(await other.leg.next(patient), { type: 'Q', skippedBytes: long.length, hadNoRoom: true });
  t.match(await other.leg.next(patient), { frame: message('short') });
  one.peer.write(long.subarray(6));
  const dealing = Promise.withResolvers<void>();
  const handing = one.leg.each(() => dealing.promise);
  await settled();
  t.equal(room.bytes, long.length, 'while it is dealt with');
  dealing.resolve();
  one.peer.end();
  await handing;
  t.equal(room.bytes, 0);
});

t.test('gives back what it holds when it is left, whatever has come of it', async (t) => {
  const room = new HeldBytes(10 * LONG);
  const { peer, leg } = sharing(room);
  const long = message(Buffer.alloc(LONG));
  peer.write(Buffer.concat([long, long.subarray(0, 50_000)]));
  await settled();
  t.equal(room.bytes, 2 * long.length);
  leg.discard();
  leg.discard();
  t.equal(room.bytes, 0);
  peer.write(long);
  await settled();
  t.equal(room.bytes, 0);
});

t.test('gives back a message whose dealing fails', async (t) => {
  const room = new HeldBytes(10 * LONG);
  const { peer, leg } = sharing(room);
  peer.write(message(Buffer.alloc(LONG)));
  await t.rejects(leg.each(() => Promise.reject(new Error('no'))));
  t.equal(room.bytes, 0);
});
