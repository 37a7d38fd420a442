import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { silentLogger } from '../../../runtime/log.ts';
import { OrphanReaper } from '../../../supervisor/machine/orphans.ts';

const SUBREAPER = fileURLToPath(new URL('./support/subreaper.ts', import.meta.url));
const STORM = 500;

async function inSubreaper(scenario: string, argument: string | number = ''): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(process.execPath, [SUBREAPER, scenario, String(argument)]);
  return JSON.parse(stdout) as Record<string, unknown>;
}

t.test('reaps processes that outlive their parent and then end all at once', async (t) => {
  const report = await inSubreaper('together', 50);
  t.match(report, { before: 0, alive: 50 }, 'alive, and children of the subreaper');
  t.match(report, { exitCode: 3, reaped: 50, zombies: 0 });
});

t.test(`reaps a storm of ${STORM} orphans and leaves no zombie`, async (t) => {
  t.match(await inSubreaper('storm', STORM), { exitCode: 3, reaped: STORM, zombies: 0 });
});

t.test('keeps every exit of a child that Node started, in a storm of both kinds', async (t) => {
  for (const seed of ['one', 'two']) {
    const report = await inSubreaper('mixed', seed);
    t.same(report['codes'], report['plan'], `seed ${seed}: every exit code came to whoever started the child`);
    t.equal(report['reaped'], report['expectedOrphans'], `seed ${seed}: every orphan was reaped`);
    t.equal(report['zombies'], 0);
  }
});

t.test('keeps the exit of a child that Node started even when the reaper looks first', async (t) => {
  t.match(await inSubreaper('first'), { stateBefore: 'Z', stateAfter: 'Z', exitCode: 42, reaped: 0, zombies: 0 });
});

t.test('tells in the log which process it reaped, and nothing that the process chose', async (t) => {
  t.same((await inSubreaper('storm', 1))['fields'], ['pid']);
});

t.test('takes its signal handler away when it stops, and reaps no more', async (t) => {
  const report = await inSubreaper('stop');
  t.match(report, { listenersBefore: 0, listening: 1, left: 0, listenersAfter: 0 });
  t.match(report, { reaped: 1, afterStop: ['Z'] });
});

t.test('does not start after its composer was told to stop', async (t) => {
  const listeners = process.listenerCount('SIGCHLD');
  await t.rejects(new OrphanReaper(silentLogger).start(AbortSignal.abort(new Error('stop'))), { message: 'stop' });
  t.equal(process.listenerCount('SIGCHLD'), listeners);
});
