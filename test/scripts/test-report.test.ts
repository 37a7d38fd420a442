/** What a person sees of a test run on a terminal. */
import { Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import t from 'tap';
import { reportTests } from '../../scripts/test-report.ts';

const TAP = `TAP version 14
# Subtest: test/a.test.ts
    # Subtest: adds
        ok 1 - one and one
        not ok 2 - two and two
          ---
          diff: |
            -4
            +5
          at:
            lineNumber: 9
          ...
        ok 3 - slow # SKIP not today
        1..3
    not ok 1 - adds
    ok 2 - later # TODO
    1..2
not ok 1 - test/a.test.ts

# Subtest: test/b.test.ts
    ok 1 - works
    1..1
ok 2 - test/b.test.ts

# Subtest: test/crash.test.ts
    1..0
not ok 3 - test/crash.test.ts
  ---
  exitCode: 3
  command: node
  ...
1..3
`;

async function shown(tap: string, columns = 60): Promise<string> {
  let text = '';
  let timeMs = 0;
  const terminal = {
    columns,
    write: (part: string) => {
      text += part;
    },
  };
  await reportTests(Readable.from([tap]), terminal, () => {
    timeMs += 1_500;
    return timeMs;
  });
  return text;
}

/** What stays on the screen: a line that is written over is gone. */
const remaining = (text: string) =>
  text.split('\n').map((line) => stripVTControlCharacters(line.split('\r\u001b[K').at(-1) ?? ''));

t.test('shows every failure where it happened, and numbers in the last line', async (t) => {
  const lines = remaining(await shown(TAP));
  t.same(lines, [
    '✗ test/a.test.ts › adds › two and two',
    '    diff:',
    '      -4',
    '      +5',
    '✗ test/crash.test.ts',
    '    exitCode: 3',
    '2 passed, 2 failed, 2 skipped (3 files, 2 s)',
    '',
  ]);
});

t.test('shows the progress in one line that fits the terminal', async (t) => {
  const text = await shown(TAP, 40);
  t.match(text, '1 files done: 1 passed, 1 failed; test/');
  for (const line of text.split('\n').flatMap((part) => part.split('\r\u001b[K'))) {
    t.ok(stripVTControlCharacters(line).length < 60, line);
  }
});

t.test('shows nothing but the last line when all is well', async (t) => {
  const lines = remaining(await shown('TAP version 14\n# Subtest: a\n    ok 1 - x\n    1..1\nok 1 - a\n1..1\n'));
  t.same(lines, ['1 passed, 0 failed, 0 skipped (1 files, 2 s)', '']);
});
