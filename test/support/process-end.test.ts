import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { processEnd } from './process-end.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { untilChanged } from './watched-files.ts';

t.test('resolves when the process ends, not before, and at once when there is none', async (t) => {
  const child = spawn('cat', { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  let isOver = false;
  const ended = processEnd(child.pid ?? 0).then(() => {
    isOver = true;
  });
  child.stdin.write('x');
  await once(child.stdout, 'data');
  t.notOk(isOver, 'it lives and answers');
  child.stdin.end();
  await ended;
  await closed;
  await processEnd(child.pid ?? 0);
});

t.test('looks again at each change, and ends with its signal', async (t) => {
  const file = join(temporaryFolder(t), 'file');
  const text = () => existsSync(file) && readFileSync(file, 'utf8');
  const written = untilChanged(file, text);
  writeFileSync(file, 'a');
  t.equal(await written, 'a');
  const extended = untilChanged(file, () => /b/.exec(text() || '')?.[0]);
  appendFileSync(file, 'a');
  appendFileSync(file, 'b');
  t.equal(await extended, 'b');
  t.equal(await untilChanged(file, text), 'aab', 'what is so already is not waited for');
  const stop = new AbortController();
  const waiting = untilChanged(file, () => undefined, stop.signal);
  stop.abort(new Error('stop'));
  await t.rejects(waiting, { message: 'stop' });
  await t.rejects(
    untilChanged(file, () => {
      throw new Error('broken');
    }),
    { message: 'broken' },
  );
});
