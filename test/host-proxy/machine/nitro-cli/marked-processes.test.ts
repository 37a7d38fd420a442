import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { endMarked, MARK_VARIABLE } from '../../../../host-proxy/machine/nitro-cli/marked-processes.ts';
import { markOwnChild } from '../../../../system/processes/own-children.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const LIMIT_MS = 10_000;

function start(mark: string) {
  return spawn('sleep', ['60'], { stdio: 'ignore', env: { ...process.env, [MARK_VARIABLE]: mark } });
}

t.test('gives up a process that does not end (returns false)', async (t) => {
  const mark = `stubborn-${process.pid}`;
  const started = [start(mark)];
  // As good as one that ignores SIGKILL: at each look there is one.
  class Clock extends FakeClock {
    override async sleep(): Promise<void> {
      if (started.length > 10) throw new Error('endless');
      const next = start(mark);
      started.push(next);
      await once(next, 'spawn');
      this.advance(LIMIT_MS / 5);
    }
  }
  t.teardown(() => {
    for (const child of started) child.kill('SIGKILL');
  });
  t.equal(await endMarked(mark, new Clock()), false);
  t.equal(started.length, 6);
});

t.test('spares nitro-cli itself', async (t) => {
  const mark = `spared-${process.pid}`;
  const child = markOwnChild(start(mark));
  await once(child, 'spawn');
  t.equal(await endMarked(mark, new FakeClock()), true);
  t.equal(child.exitCode ?? child.signalCode, null);
  child.kill('SIGKILL');
  await once(child, 'exit');
});
