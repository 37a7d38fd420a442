/** Another process in the place of the one that there is, as when the keys that it was launched with are exchanged. */
import t from 'tap';
import { SupervisorError } from '../../../supervisor/errors.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { LIVES, openBreaker, surroundings } from './support/surroundings.ts';

const signal = () => new AbortController().signal;

t.test('replaces a child at once, and counts that as no failure', async (t) => {
  const { child, clock, states, logger } = surroundings(t, LIVES, { breakerExits: 2 });
  await child.start(signal());
  const pids = [child.pid];
  for (const _ of [1, 2, 3]) {
    await child.replace(signal());
    pids.push(child.pid);
  }
  t.equal(new Set(pids).size, 4);
  t.throws(() => process.kill(pids[0] ?? 0, 0), { code: 'ESRCH' });
  t.equal(child.restarts, 0);
  t.ok(states.every(({ kind }) => kind === 'running'));
  t.notOk(logger.events().includes('child.exited'));
  t.equal(clock.sleeping, 0);
});

t.test('launches a child without waiting that is down when it is to be replaced', async (t) => {
  const parts = surroundings(t, LIVES);
  const { child } = parts;
  await child.start(signal());
  await openBreaker(parts);
  await child.replace(signal());
  t.equal(child.state.kind, 'running');
});

t.test('tells that a replacement does not come up, and goes on trying, also to replace it', async (t) => {
  const scripts = [LIVES, 'process.exit(1)', LIVES];
  const { child, logger } = surroundings(t, () => scripts.shift() ?? LIVES);
  await child.start(signal());
  await t.rejects(child.replace(signal()), { code: 'EXITED' });
  t.equal(child.state.kind, 'down');
  await child.replace(signal());
  t.equal(child.state.kind, 'running');
  t.equal(logger.events().filter((event) => event === 'child.exited').length, 1);
});

t.test('does not give a child up whose replacement ends before it is ready, whatever its end means', async (t) => {
  const scripts = [LIVES, 'process.exit(101)', LIVES];
  const { child } = surroundings(t, () => scripts.shift() ?? LIVES);
  await child.start(signal());
  await t.rejects(child.replace(signal()), { code: 'POISON' });
  t.equal(child.failure, undefined);
  await child.replace(signal());
  t.equal(child.state.kind, 'running');
});

t.test('does not bring back a child that was given up (CHILD_NOT_RESTARTED)', async (t) => {
  const script = `process.on("SIGUSR2", () => process.exit(101)); ${LIVES}`;
  const { child, nextState } = surroundings(t, script);
  await child.start(signal());
  const failed = nextState();
  process.kill(child.pid ?? 0, 'SIGUSR2');
  await failed;
  await rejectsCode(() => child.replace(signal()), SupervisorError, 'CHILD_NOT_RESTARTED');
});

t.test('launches anew for whoever asks while a replacement is on its way', async (t) => {
  const launched = Promise.withResolvers<void>();
  const scripts = [LIVES, 'setInterval(() => {}, 1e6)'];
  const { child } = surroundings(t, () => {
    if (scripts.length === 1) launched.resolve();
    return scripts.shift() ?? LIVES;
  });
  await child.start(signal());
  const first = child.replace(signal());
  await launched.promise;
  await Promise.all([child.replace(signal()), first]);
  t.equal(child.state.kind, 'running');
});

t.test('gives a replacement up that is on its way when the child is stopped', async (t) => {
  const scripts = [LIVES, 'setInterval(() => {}, 1e6)'];
  const { child } = surroundings(t, () => scripts.shift() ?? LIVES);
  await child.start(signal());
  const replacing = child.replace(signal());
  const stopping = child.stop();
  await t.rejects(replacing, { name: 'AbortError' });
  await stopping;
});
