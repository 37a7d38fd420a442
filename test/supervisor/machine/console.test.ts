import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const PROGRAM = fileURLToPath(new URL('./support/console.ts', import.meta.url));

const run = (stderr: 'pipe' | number) =>
  spawnSync(process.execPath, [PROGRAM], { encoding: 'utf8', stdio: ['ignore', 'ignore', stderr] });

t.test('has said the last words when the process ends right after', async (t) => {
  const { stderr, status } = run('pipe');
  const { time, ...record } = JSON.parse(stderr) as Record<string, unknown>;
  t.same(record, { level: 'fatal', event: 'machine.ending', reason: 'the test is over', code: 'X' });
  t.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 60_000);
  t.equal(stderr.split('\n').length, 2, 'one line');
  t.equal(status, 7);
});

t.test('lets a console that takes nothing end nobody', async (t) => {
  const full = openSync('/dev/full', 'w');
  t.teardown(() => closeSync(full));
  t.equal(run(full).status, 7);
});
