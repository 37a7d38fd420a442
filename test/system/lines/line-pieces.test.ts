import t from 'tap';
import { unitInterval } from '../../../runtime/random.ts';
import { type LinePiece, LinePieces } from '../../../system/lines/line-pieces.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const MAX_BYTES = 16;

function cut(chunks: readonly Buffer[]): readonly LinePiece[] {
  const pieces = new LinePieces(MAX_BYTES);
  return [...chunks.flatMap((chunk) => [...pieces.push(chunk)]), ...pieces.end()];
}

const joined = (pieces: readonly LinePiece[]) =>
  pieces.map(({ text, isLast }) => `${text}${isLast ? '\n' : ''}`).join('');

t.test('gives lines as they were written, empty ones and one without an end too', async (t) => {
  t.same(
    cut([Buffer.from('one\n\ntwo\r\nthree')]).map(({ text }) => text),
    ['one', '', 'two', 'three'],
  );
  t.same(cut([]), []);
});

t.test('numbers the parts of a long line, and cuts no character in two', async (t) => {
  const line = 'ä€😀'.repeat(20);
  const pieces = cut([Buffer.from(`${line}\nshort\n`)]);
  t.equal(joined(pieces), `${line}\nshort\n`);
  const parts = pieces.slice(0, -1);
  t.ok(parts.length > 5);
  t.same(
    parts.map(({ part }) => part),
    parts.map((_, index) => index + 1),
  );
  t.same(pieces.at(-1), { text: 'short', part: 1, isLast: true });
});

t.test('is the same however the bytes come', async (t) => {
  const random = seededRandom('pieces');
  const bytes = Buffer.from(`first ${'ü'.repeat(40)}\n${'x'.repeat(MAX_BYTES)}\n${'y'.repeat(MAX_BYTES + 1)}\nlast`);
  const whole = joined(cut([bytes]));
  t.equal(whole, `${bytes}\n`);
  for (let round = 0; round < 200; round += 1) {
    const at = Math.floor(unitInterval(random) * bytes.length);
    t.equal(joined(cut([bytes.subarray(0, at), bytes.subarray(at)])), whole);
  }
  t.equal(joined(cut([...bytes].map((byte) => Buffer.from([byte])))), whole);
});

t.test('shows bytes that are no text, and what a terminal would obey', async (t) => {
  const [piece] = cut([Buffer.from([0x61, 0xff, 0xc3, 0x28, 0xe2, 0x82, 0x1b, 0x5b, 0xc3, 0xbc, 0x0a])]);
  t.equal(piece?.text, 'a\\xff\\xc3(\\xe2\\x82\\x1b[ü');
});
