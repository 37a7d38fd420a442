/** Frames out of a stream, however it is cut: whole, in their order, and never written over afterwards. */
import fc from 'fast-check';
import t from 'tap';
import { encodeFrame, FrameReader } from '../../../wire/control/frame.ts';
import { WireError } from '../../../wire/errors.ts';
import { throwsCode } from '../../support/coded-error.ts';

const SEED = 20_261_130;
const frameOf = (text: string) => encodeFrame({ type: 'refusal', code: 'CODE', message: text });

t.test('cuts the same payloads out of a stream, whatever pieces it comes in', async () => {
  const texts = fc.array(fc.string({ maxLength: 40 }), { maxLength: 6 });
  const sizes = fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1 });
  fc.assert(
    fc.property(texts, sizes, (messages, pieces) => {
      const stream = Buffer.concat(messages.map(frameOf));
      const reader = new FrameReader(1_000);
      const payloads: Buffer[] = [];
      for (let at = 0, turn = 0; at < stream.length; turn += 1) {
        const size = pieces[turn % pieces.length] ?? 1;
        const piece = Buffer.from(stream.subarray(at, at + size));
        payloads.push(...reader.push(piece));
        at += size;
      }
      return Buffer.concat(payloads).equals(Buffer.concat(messages.map((text) => frameOf(text).subarray(4))));
    }),
    { seed: SEED },
  );
});

t.test('keeps what follows the payload that was taken', async (t) => {
  const reader = new FrameReader(1_000);
  const [first] = reader.push(Buffer.concat([frameOf('one'), frameOf('two'), frameOf('three').subarray(0, 7)]));
  t.match(first?.toString(), /one/);
  t.match([...reader.push(frameOf('three').subarray(7))].map(String), [/two/, /three/]);
});

t.test('copies no byte of a long frame more than a few times, in however small pieces it comes', async (t) => {
  const reader = new FrameReader(1 << 20);
  const frame = frameOf('x'.repeat(1 << 19));
  const { alloc, concat } = Buffer;
  let made = 0;
  const counted = (bytes: Buffer) => {
    made += bytes.length;
    return bytes;
  };
  t.teardown(() => Object.assign(Buffer, { alloc, concat }));
  Object.assign(Buffer, {
    alloc: (size: number) => counted(alloc(size)),
    concat: (parts: readonly Buffer[]) => counted(concat(parts)),
  });
  const payloads: Buffer[] = [];
  for (let at = 0; at < frame.length; at += 100) payloads.push(...reader.push(frame.subarray(at, at + 100)));
  t.equal(payloads.length, 1);
  t.ok(made < 8 * frame.length, `${made} bytes for ${frame.length}`);
});

t.test('rejects a length beyond its bound before anything of it has come (WIRE_FRAME_TOO_LARGE)', async () => {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(1_001);
  throwsCode(() => [...new FrameReader(1_000).push(header)], WireError, 'WIRE_FRAME_TOO_LARGE');
});
