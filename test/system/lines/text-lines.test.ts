import fc from 'fast-check';
import t from 'tap';
import { TextLines } from '../../../system/lines/text-lines.ts';

function linesOf(...chunks: readonly (string | Buffer)[]): string[] {
  const lines: string[] = [];
  const splitter = new TextLines((line) => lines.push(line));
  for (const chunk of chunks) splitter.push(Buffer.from(chunk));
  splitter.end();
  return lines;
}

t.test('cuts lines wherever the chunks end, and keeps a last line without an end', async (t) => {
  t.same(linesOf('a\nb', 'c\r', '\n\nd'), ['a', 'bc', '', 'd']);
});

t.test('makes visible what a terminal would obey, and drops colours', async (t) => {
  t.same(linesOf('\u001b[31mred\u001b[0m \u001b]0;title\u0007\ta\u009b2J\n'), ['red \\x1b]0;title\\x07\ta\\x9b2J']);
  t.same(linesOf('one\u2028line\u2029\n'), ['one\\u2028line\\u2029']);
});

t.test('holds no line of more than 4 KiB', async (t) => {
  const lines = linesOf(Buffer.alloc(10_000, 'x'), '\n');
  t.same(
    lines.map((line) => line.length),
    [4_096, 4_096, 10_000 - 2 * 4_096],
  );
});

t.test('never lets a control character through, and loses no printable one', async () => {
  const property = fc.property(
    fc.array(fc.string({ unit: 'binary-ascii', maxLength: 50 }), { maxLength: 20 }),
    (chunks) => {
      const lines = linesOf(...chunks);
      const printable = chunks.join('').replace(/[^a-z]/g, '');
      return lines.every((line) => !/[^\t\P{Cc}]/u.test(line)) && printable.length <= lines.join('').length;
    },
  );
  fc.assert(property, { seed: 5, numRuns: 200 });
});
