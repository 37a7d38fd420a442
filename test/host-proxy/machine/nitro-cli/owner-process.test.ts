/** Lines as proc_pid_stat(5) has them, in a folder that stands for /proc; and one real process. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test as TapTest } from 'tap';
import t from 'tap';
import { OwnerProcess } from '../../../../host-proxy/machine/nitro-cli/owner-process.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const PID = 41;
const START_TICKS = 123_456;

function standIn(t: TapTest) {
  const folder = temporaryFolder(t);
  const process = join(folder, String(PID));
  mkdirSync(process);
  const become = (state: string, threads = 1, startTicks = START_TICKS, name = 'nitro-cli') => {
    const between = '1 41 41 0 -1 4194560 1 0 0 0 0 0 0 0 20 0';
    writeFileSync(join(process, 'stat'), `${PID} (${name}) ${state} ${between} ${threads} 0 ${startTicks} 0 0\n`);
  };
  become('S');
  return { folder, become, vanish: () => rmSync(process, { recursive: true }), stat: join(process, 'stat') };
}

t.test('tells a process that lives', async (t) => {
  t.notOk(new OwnerProcess(process.pid).isGone());
});

t.test('tells that a process is gone', async (t) => {
  const { folder, vanish } = standIn(t);
  const owner = new OwnerProcess(PID, folder);
  t.notOk(owner.isGone());
  vanish();
  t.ok(owner.isGone());
});

t.test('takes a later process with the same number for another', async (t) => {
  const { folder, become } = standIn(t);
  const owner = new OwnerProcess(PID, folder);
  become('S', 1, START_TICKS + 1);
  t.ok(owner.isGone());
});

t.test('counts a process as gone that nobody has waited for', async (t) => {
  const { folder, become } = standIn(t);
  const owner = new OwnerProcess(PID, folder);
  become('Z');
  t.ok(owner.isGone());
});

t.test('keeps waiting for the last thread, which holds the descriptor', async (t) => {
  const { folder, become } = standIn(t);
  const owner = new OwnerProcess(PID, folder);
  become('Z', 2);
  t.notOk(owner.isGone());
});

t.test('is not deceived by a name', async (t) => {
  const { folder, become } = standIn(t);
  become('S', 1, START_TICKS, 'a) Z 1 (b');
  t.notOk(new OwnerProcess(PID, folder).isGone());
});

t.test('takes what cannot be read for no proof of death', async (t) => {
  const { folder, stat } = standIn(t);
  const owner = new OwnerProcess(PID, folder);
  rmSync(stat);
  mkdirSync(stat);
  t.notOk(owner.isGone());
});
