import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { isOwnChild, markOwnChild } from '../../../system/processes/own-children.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

t.test('knows a child from its start until Node has told of its exit', async (t) => {
  const child = spawn('/bin/sh', ['-c', 'read line'], { stdio: ['pipe', 'ignore', 'ignore'] });
  t.equal(markOwnChild(child), child);
  const pid = child.pid ?? 0;
  t.ok(isOwnChild(pid));
  child.stdin?.end();
  await once(child, 'exit');
  t.notOk(isOwnChild(pid), 'the number may be another process’s by now');
});

t.test('knows nobody else: neither itself nor init nor a child that was not marked', async (t) => {
  const child = spawn('/bin/true', { stdio: 'ignore' });
  for (const pid of [process.pid, process.ppid, 1, child.pid ?? 0]) t.notOk(isOwnChild(pid));
  await once(child, 'exit');
});

t.test('keeps children apart', async (t) => {
  const children = [1, 2].map(() => markOwnChild(spawn('/bin/sh', ['-c', 'read line'], { stdio: ['pipe'] })));
  const [first, second] = children;
  first?.stdin?.end();
  await once(first!, 'exit');
  t.ok(isOwnChild(second?.pid ?? 0));
  second?.stdin?.end();
  await once(second!, 'exit');
  t.notOk(isOwnChild(second?.pid ?? 0));
});

t.test('marks nothing where no process could be made', async (t) => {
  const child = markOwnChild(spawn(join(temporaryFolder(t), 'none'), { stdio: 'ignore' }));
  t.equal(child.pid, undefined);
  await once(child, 'error');
});
