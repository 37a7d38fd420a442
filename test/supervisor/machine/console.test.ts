import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, read } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { openTerminal } from './support/terminal.ts';

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

/** More than any terminal holds. */
const RECORDS = 40;
const CHARACTERS = 10_000;
const STUCK_MS = 60_000;

t.test('ends in time though nobody reads the terminal', async (t) => {
  const { terminal } = openTerminal(t) ?? {};
  if (terminal === undefined) return t.comment('no terminal can be made here');
  const { status, signal } = spawnSync(process.execPath, [PROGRAM, String(RECORDS), String(CHARACTERS)], {
    stdio: ['ignore', 'ignore', terminal],
    timeout: STUCK_MS,
    killSignal: 'SIGKILL',
  });
  t.same({ status, signal }, { status: 7, signal: null });
});

t.test('keeps records whole though the terminal takes them in parts', async (t) => {
  const { reader, terminal } = openTerminal(t) ?? {};
  if (reader === undefined || terminal === undefined) return t.comment('no terminal can be made here');
  const child = spawn(process.execPath, [PROGRAM, String(RECORDS), String(CHARACTERS)], {
    stdio: ['ignore', 'ignore', terminal],
  });
  const exited = once(child, 'exit');
  const buffer = Buffer.alloc(65_536);
  let text = '';
  while (!text.includes('machine.ending')) {
    const { bytesRead } = await promisify(read)(reader, buffer, 0, buffer.length, null);
    text += buffer.toString('latin1', 0, bytesRead);
  }
  t.same((await exited)[0], 7);
  const records = text.trim().split('\r\n');
  t.same(
    records.slice(0, RECORDS).map((line) => (JSON.parse(line) as { index: number }).index),
    [...Array(RECORDS).keys()],
  );
});
