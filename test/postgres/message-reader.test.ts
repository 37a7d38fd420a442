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
