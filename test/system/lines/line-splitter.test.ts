import fc from 'fast-check';
import t from 'tap';
import { LineSplitter } from '../../../system/lines/line-splitter.ts';

function split(chunks: readonly Buffer[], maxBytes: number) {
  const lines: [string, boolean][] = [];
  const splitter = new LineSplitter(maxBytes, (line, cut) => lines.push([line, cut]));
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return lines;
}

t.test('keeps lines whole however they arrive', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[a-z]{1,20}$/), { minLength: 1, maxLength: 20 }),
      fc.array(fc.nat(200)),
      (lines, cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const offsets = [...new Set([0, ...cuts.filter((cut) => cut < bytes.length), bytes.length])].sort(
          (a, b) => a - b,
        );
        const chunks = offsets.slice(1).map((end, i) => bytes.subarray(offsets[i], end));
        t.same(
          split(chunks, 100).map(([line]) => line),
          lines,
        );
      },
    ),
    { numRuns: 100, seed: 1 },
  );
});

t.test('cuts a line of 10 MiB and goes on with the next', async (t) => {
  const chunks = [...Array.from({ length: 160 }, () => Buffer.alloc(65536, 'a')), Buffer.from('\nnext\n')];
  const lines = split(chunks, 1000);
  t.same(
    lines.map(([line, cut]) => [line.length, cut]),
    [
      [1000, true],
      [4, false],
    ],
  );
});

t.test('keeps a last line without an end', async (t) => {
  t.same(split([Buffer.from('a\nb')], 10), [
    ['a', false],
    ['b', false],
  ]);
});
