import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { temporaryFolder } from './temporary-folder.ts';
import { wholeLines } from './whole-lines.ts';

t.test('drops a line that is still being written', async (t) => {
  const file = join(temporaryFolder(t), 'log');
  const cases: [string, string[]][] = [
    ['', []],
    ['{"a":', []],
    ['{"a":1}\n', ['{"a":1}']],
    ['{"a":1}\n{"b"', ['{"a":1}']],
  ];
  for (const [text, lines] of cases) {
    writeFileSync(file, text);
    t.same(wholeLines(file), lines, JSON.stringify(text));
  }
});
