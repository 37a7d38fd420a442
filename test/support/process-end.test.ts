import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
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
  let looks = 0;
  const third = untilChanged(file, () => ++looks >= 3 && 'three');
  t.equal(looks, 1, 'once at the beginning');
  writeFileSync(file, 'a');
  writeFileSync(file, 'b');
  t.equal(await third, 'three');
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
