import fc from 'fast-check';
import t from 'tap';
import { MAX_UNAUTHENTICATED_BYTES, MessageReader } from '../../postgres/message-reader.ts';

import { sqlStateOf } from '../emulator/acra-server/support/sql-state.ts';

const message = (type: string, body: Uint8Array) => {
  const header = Buffer.alloc(type.length + 4);
  header.write(type);
  header.writeInt32BE(body.length + 4, type.length);
  return Buffer.concat([header, body]);
};

t.test('finds the same messages however the bytes are cut', async (t) => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(bodies, fc.array(fc.nat(400)), fc.boolean(), (all, cuts, isStartup) => {
      const frames = all.map((body, index) => message(isStartup && index === 0 ? '' : 'dQP'.charAt(index % 3), body));
      const stream = Buffer.concat(frames);
      const ends = [...new Set([...cuts.map((cut) => cut % stream.length), stream.length])].toSorted((a, b) => a - b);
      const reader = new MessageReader({ isStartup, maxBytes: 100 });
      let at = 0;
      const found = ends.flatMap((end) => {
        const chunk = stream.subarray(at, end);
        at = end;
        return [...reader.push(chunk)];
      });
      t.same(
        found.map(({ frame }) => frame),
        frames,
      );
      t.same(
        found.map(({ body }) => body),
        all.map((body) => Buffer.from(body)),
      );
      t.equal(found.at(0)?.type, isStartup ? '' : 'd');
    }),
    { seed: 2, numRuns: 200 },
  );
});

t.test('rejects a length out of bounds before its bytes have come (08P01)', async (t) => {
  for (const length of [0, 3, MAX_UNAUTHENTICATED_BYTES + 1, 0x7fffffff, 0xffffffff]) {
    const header = Buffer.from('Q\0\0\0\0', 'latin1');
    header.writeUInt32BE(length, 1);
    const reader = new MessageReader({ isStartup: false, maxBytes: MAX_UNAUTHENTICATED_BYTES });
    t.equal(
      sqlStateOf(() => [...reader.push(header)]),
      '08P01',
      String(length),
    );
  }
});

t.test('takes a message of 40 MB in small pieces without going over it again and again', async (t) => {
  const reader = new MessageReader({ isStartup: false, maxBytes: 64e6 });
  const frame = message('d', Buffer.alloc(40e6));
  const found = [];
  for (let at = 0; at < frame.length; at += 16384) found.push(...reader.push(frame.subarray(at, at + 16384)));
  t.equal(found.length, 1);
  t.equal(found[0]?.frame.length, frame.length);
});

/** Pushes a stream in pieces that end where `cuts` say. */
function read(reader: MessageReader, stream: Buffer, cuts: readonly number[]) {
  const ends = [...new Set([...cuts.map((cut) => cut % stream.length), stream.length])].toSorted((a, b) => a - b);
  return ends.flatMap((end, index) => [...reader.push(stream.subarray(ends[index - 1] ?? 0, end))]);
}

t.test('skips messages that are too long where it is told to, however the bytes are cut', async (t) => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(bodies, fc.array(fc.nat(400)), fc.integer({ min: 4, max: 40 }), (all, cuts, maxBytes) => {
      const frames = all.map((body, index) => message('QPB'.charAt(index % 3), body));
      const reader = new MessageReader({ isStartup: false, maxBytes, ifLonger: 'skip' });
      const found = read(reader, Buffer.concat(frames), cuts);
      const expected = frames.map((frame) => {
        const type = frame.toString('latin1', 0, 1);
        if (frame.length - 1 <= maxBytes) return { type, frame, body: frame.subarray(5) };
        return { type, frame: Buffer.alloc(0), body: Buffer.alloc(0), skippedBytes: frame.length };
      });
      t.same(found, expected);
    }),
    { seed: 5, numRuns: 200 },
  );
});

t.test('tells of a message that it skips as soon as its length is known', async (t) => {
  const reader = new MessageReader({ isStartup: false, maxBytes: 100, ifLonger: 'skip' });
  const header = Buffer.from('Q\x3f\xff\xff\xff', 'latin1');
  t.match([...reader.push(header)], [{ type: 'Q', skippedBytes: 0x3fffffff + 1 }]);
  t.same([...reader.push(Buffer.alloc(1000))], []);
});

t.test('rejects a length that PostgreSQL would not take, also where longer ones are skipped (08P01)', async (t) => {
  for (const length of [0, 3, 0x4000_0000, 0x7fff_ffff, 0xffff_ffff]) {
    const header = Buffer.from('Q\0\0\0\0', 'latin1');
    header.writeUInt32BE(length, 1);
    const reader = new MessageReader({ isStartup: false, maxBytes: 100, ifLonger: 'skip' });
    t.equal(
      sqlStateOf(() => [...reader.push(header)]),
      '08P01',
      String(length),
    );
  }
});

t.test(
  'takes longer messages from the moment when they are allowed, one that has begun to come included',
  async (t) => {
    const reader = new MessageReader({ isStartup: false, maxBytes: 10 });
    const long = message('Q', Buffer.alloc(50));
    t.match([...reader.push(Buffer.concat([message('Q', Buffer.alloc(6)), long.subarray(0, 3)]))], [{ type: 'Q' }]);
    reader.maxBytes = 100;
    t.match([...reader.push(long.subarray(3))], [{ type: 'Q', frame: long }]);
  },
);

t.test('holds no more for a message that comes byte by byte than for one that comes at once', async (t) => {
  for (const options of [{}, { ifLonger: 'skip' }] as const) {
    const reader = new MessageReader({ isStartup: false, maxBytes: options.ifLonger ? 100 : 2e6, ...options });
    const frame = message('Q', Buffer.alloc(1e6));
    const beforeBytes = process.memoryUsage().heapUsed;
    const found = [...frame.subarray(0, -1).keys()].flatMap((at) => [...reader.push(frame.subarray(at, at + 1))]);
    const heldBytes = process.memoryUsage().heapUsed - beforeBytes;
    t.ok(heldBytes < 60e6, `${heldBytes} bytes`);
    found.push(...reader.push(frame.subarray(-1)));
    t.match(found, [options.ifLonger ? { skippedBytes: frame.length } : { frame }]);
  }
});
