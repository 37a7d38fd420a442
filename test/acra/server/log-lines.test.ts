import fc from 'fast-check';
import t from 'tap';
import type { LogLine } from '../../../acra/server/log-lines.ts';
import { LogLines, MAX_STRING_BYTES } from '../../../acra/server/log-lines.ts';

function read(bytes: Buffer, chunkBytes = bytes.length): LogLine[] {
  const lines: LogLine[] = [];
  const splitter = new LogLines((line) => lines.push(line));
  for (let at = 0; at < bytes.length; at += chunkBytes) splitter.push(bytes.subarray(at, at + chunkBytes));
  splitter.end();
  return lines;
}

const json = (fields: Record<string, unknown>) => Buffer.from(`${JSON.stringify(fields)}\n`);
const [first] = [(lines: readonly LogLine[]) => lines[0] ?? { text: '', writtenBytes: 0, isCut: true }];

t.test('keeps lines as they are, in whatever pieces they come', async (t) => {
  const bytes = Buffer.from('{"msg":"a \\"quoted\\" word"}\n\ntime="now" level=error\npanic: "half\nlast');
  for (const chunkBytes of [1, 2, 7, bytes.length]) {
    t.same(
      read(bytes, chunkBytes).map(({ text }) => text),
      ['{"msg":"a \\"quoted\\" word"}', 'time="now" level=error', 'panic: "half', 'last'],
    );
  }
});

for (const [where, fields] of [
  ['before the message', { code: 900, error: 'x'.repeat(20_000), level: 'error', msg: 'm' }],
  ['after the message', { code: 900, level: 'error', msg: 'm', statement: 'x'.repeat(20_000) }],
  [
    'on both sides of it',
    { code: 900, error: 'x'.repeat(99_000), level: 'error', msg: 'm', portal: 'y'.repeat(9_000_000) },
  ],
] as const) {
  t.test(`keeps code, level and message of a record with a long string ${where}`, async (t) => {
    const bytes = json(fields);
    const line = first(read(bytes, 4096));
    t.match(JSON.parse(line.text), { code: 900, level: 'error', msg: 'm' });
    t.equal(line.writtenBytes, bytes.length - 1);
    t.notOk(line.isCut);
  });
}

t.test('keeps the beginning of a long string, and never half an escape', async () => {
  const long = fc.string({
    unit: fc.constantFrom('\\', '"', 'a', 'u', '\u0001', '\n', 'é', '0'),
    minLength: 3_000,
    maxLength: 5_000,
  });
  fc.assert(
    fc.property(long, (text) => {
      const { msg, level } = JSON.parse(first(read(json({ msg: text, level: 'error' }))).text) as Record<
        string,
        string
      >;
      return level === 'error' && text.startsWith((msg ?? '').replace(/\ufffd+$/, ''));
    }),
    { numRuns: 300, seed: 5 },
  );
});

t.test('keeps a long run of backslashes a string', async (t) => {
  for (const count of [MAX_STRING_BYTES - 1, MAX_STRING_BYTES, MAX_STRING_BYTES + 1]) {
    const line = first(read(json({ msg: `a${'\\'.repeat(count)}`, level: 'error' })));
    t.match(JSON.parse(line.text), { level: 'error' });
  }
});

t.test('tells that a line is cut that is too long even so, and goes on with the next', async (t) => {
  const [long, next] = read(Buffer.concat([Buffer.alloc(100_000, '['), Buffer.from('\n{}\n')]));
  t.match(long, { isCut: true, writtenBytes: 100_000 });
  t.ok((long?.text.length ?? 0) <= 65_536);
  t.same(next, { text: '{}', writtenBytes: 2, isCut: false });
});
