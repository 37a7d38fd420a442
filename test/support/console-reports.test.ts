import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { reportsIn, withoutKernelWords } from './console-reports.ts';

const MODULE = fileURLToPath(new URL('console-reports.ts', import.meta.url));
const KERNEL = '[   12.345678] clocksource: Marking clocksource tsc as unstable\n';
const report = { restarts: 200, said: ['a [b] c'] };

function printed(): string {
  const script = `import { printReport } from ${JSON.stringify(MODULE)}; printReport('REPORT', ${JSON.stringify(report)});`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).stdout;
}

t.test('keeps a report whole wherever the kernel speaks in between', async (t) => {
  const text = printed();
  for (let at = 0; at <= text.length; at++) {
    const console = `${KERNEL}Run /init\n${text.slice(0, at)}${KERNEL}${text.slice(at)}${KERNEL}`;
    t.same(reportsIn(withoutKernelWords(console), 'REPORT'), [report], `after ${at} characters`);
  }
  const torn = text.replace(/\n$/, `\\x0d${KERNEL}\n`);
  t.same(reportsIn(withoutKernelWords(torn), 'REPORT'), [report], 'between carriage return and line feed');
});

t.test('drops a report that is not at its end yet, and those of other names', async (t) => {
  const text = printed();
  t.same(reportsIn(`${text}REPORTS {}\nREPORT {"restarts"`, 'REPORT'), [report]);
});
