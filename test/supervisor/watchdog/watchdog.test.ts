import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const PROGRAM = fileURLToPath(new URL('./support/held.ts', import.meta.url));
/** Of a watchdog that never barks: then the test fails by its signal. */
const TIMEOUT_MS = 30_000;

const run = (busyMs: number) =>
  spawnSync(process.execPath, [PROGRAM, String(busyMs)], {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    killSignal: 'SIGTERM',
  });

t.test('ends a process whose thread is held, and says so first', async (t) => {
  const { signal, stdout, stderr } = run(0);
  t.equal(signal, 'SIGKILL');
  t.equal(stdout, 'working\n');
  t.match(JSON.parse(stderr.trim().split('\n').at(-1) ?? ''), { event: 'watchdog.held', code: 'SUPERVISOR_HELD' });
});

t.test('leaves one alone that works in long spells, and lets it end by itself', async (t) => {
  const { status, signal, stdout } = run(300);
  t.equal(signal, null);
  t.equal(status, 0);
  t.equal(stdout, 'working\nstopped\n');
});
