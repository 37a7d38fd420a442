/** How a session is handed to a guard: read back as it was written, in any pieces, and bounded. */
import fc from 'fast-check';
import t from 'tap';
import { encodeOpening, readOpening, type SessionOpening } from '../../sessions/opening.ts';
import { outcomeOf } from './support/outcome.ts';
import { readNow, settled, streamPair, writeInPieces } from './support/streams.ts';

const patient = new AbortController().signal;
const OPENING: SessionOpening = {
  startup: {
    minor: 2,
    parameters: new Map([
      ['user', 'ap\u00fc'],
      ['options', '-c a=b'],
    ]),
  },
  certificateEndsMs: 1_800_000_000_000,
  channelBinding: Buffer.from('a digest'),
  loginMs: 14_321.5,
};

t.test('reads back what it writes, and leaves what comes behind to the session', async (t) => {
  const text = fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
  const parameters = fc.array(fc.tuple(text, text), { maxLength: 4 }).map((all) => new Map(all));
  await fc.assert(
    fc.asyncProperty(parameters, fc.nat(3), fc.array(fc.nat(200), { maxLength: 3 }), async (all, minor, cuts) => {
      const channelBinding = minor === 0 ? null : OPENING.channelBinding;
      const opening = { ...OPENING, channelBinding, startup: { minor, parameters: all } };
      const { own, peer } = streamPair();
      const read = readOpening(own, patient);
      await writeInPieces(peer, Buffer.concat([encodeOpening(opening), Buffer.from('behind')]), cuts);
      t.same(await read, opening);
      t.equal(readNow(own).toString(), 'behind');
    }),
    { seed: 41, numRuns: 60 },
  );
});

t.test('waits for a length that comes in part without stopping everything else', async (t) => {
  const { own, peer } = streamPair();
  const read = readOpening(own, patient);
  peer.write(encodeOpening(OPENING).subarray(0, 2));
  await settled();
  peer.write(encodeOpening(OPENING).subarray(2));
  t.same(await read, OPENING);
});

t.test('refuses a length out of bounds before its bytes have come, and what is no opening (08P01)', async (t) => {
  const length = Buffer.alloc(4);
  for (const [bytes, value] of [
    ['behind', 0],
    ['', 0x7fff_ffff],
    ['', 0xffff_ffff],
    ['{}', 2],
    ['nul', 3],
    ['{"minor":0}', 11],
  ] as const) {
    const { own, peer } = streamPair();
    length.writeUInt32BE(value);
    peer.write(Buffer.concat([length, Buffer.from(bytes)]));
    t.equal(await outcomeOf(readOpening(own, patient)), '08P01', bytes || String(value));
  }
});

t.test('refuses an opening of which a field has another form (08P01)', async (t) => {
  const written = {
    minor: 0,
    parameters: [['user', 'app']],
    certificateEndsMs: 1.8e12,
    channelBinding: null,
    loginMs: 1,
  };
  for (const changed of [
    { minor: '0' },
    { minor: 0x1_0000 },
    { parameters: [['user']] },
    { parameters: [['user', 1]] },
    { parameters: 'user' },
    { certificateEndsMs: '' },
    { certificateEndsMs: undefined },
    { channelBinding: 1 },
    { channelBinding: undefined },
    { loginMs: null },
    { more: 1 },
  ]) {
    const json = Buffer.from(JSON.stringify({ ...written, ...changed }));
    const { own, peer } = streamPair();
    const length = Buffer.alloc(4);
    length.writeUInt32BE(json.length);
    peer.write(Buffer.concat([length, json]));
    t.equal(await outcomeOf(readOpening(own, patient)), '08P01', JSON.stringify(changed));
  }
});

t.test('ends with 08006 when the front goes away, after every byte', async (t) => {
  const bytes = encodeOpening(OPENING);
  for (const length of bytes.keys()) {
    const { own, peer } = streamPair();
    const read = outcomeOf(readOpening(own, patient));
    if (length > 0) peer.write(bytes.subarray(0, length));
    peer.end();
    t.equal(await read, '08006', `${length} bytes`);
  }
});

t.test('waits until its signal aborts, and leaves nothing behind', async (t) => {
  const { own } = streamPair();
  const waiting = new AbortController();
  const read = readOpening(own, waiting.signal);
  waiting.abort(new RangeError('late'));
  await t.rejects(read, { message: 'late' });
  for (const event of ['readable', 'close', 'end']) t.equal(own.listenerCount(event), 0, event);
});
