import t from 'tap';
import { SupervisorError } from '../../../supervisor/errors.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { LIVES, openBreaker, surroundings } from './support/surroundings.ts';

const IGNORES_SIGTERM = `process.on("SIGTERM", () => {}); ${LIVES}`;

const signal = () => new AbortController().signal;

t.test('restarts a child that was killed at once, and one that is killed again after waits that grow', async (t) => {
  const { child, clock, nextState } = surroundings(t, LIVES, { breakerExits: 5 });
  await child.start(signal());
  const firstPid = child.pid ?? 0;
  const waitsMs: number[] = [];
  for (const restarts of [1, 2, 3]) {
    const down = nextState();
    process.kill(child.pid ?? 0, 'SIGKILL');
    t.equal((await down).kind, 'down');
    const running = nextState();
    if (restarts > 1) {
      const waitMs = clock.sleptMs.at(-1) ?? 0;
      waitsMs.push(waitMs);
      clock.advance(waitMs);
    }
    t.match(await running, { kind: 'running', restarts });
  }
  t.not(child.pid, firstPid);
  const [second = 0, third = 0] = waitsMs;
  t.ok(second >= 50 && second <= 100, `${second} ms`);
  t.ok(third >= 100 && third <= 200, `${third} ms`);
});

t.test('tells a child that it killed for not answering from one that somebody else killed', async (t) => {
  const { child, clock, exits, nextState } = surroundings(t, LIVES);
  await child.start(signal());
  const ends = [() => child.killUnresponsive(), () => process.kill(child.pid ?? 0, 'SIGKILL')];
  for (const end of ends) {
    const down = nextState();
    end();
    await down;
    const running = nextState();
    clock.advance(1_000);
    await running;
  }
  t.match(exits, [
    { signal: 'SIGKILL', wasUnresponsive: true },
    { signal: 'SIGKILL', wasUnresponsive: false },
  ]);
});

t.test('tries a child that ends again and again once in a long while, for ever (CHILD_BREAKER_OPEN)', async (t) => {
  const parts = surroundings(t, LIVES);
  const { child, clock, nextState, logger } = parts;
  await child.start(signal());
  t.match((await openBreaker(parts)).kind, 'down');
  t.equal(child.failure, undefined, 'it is not given up');
  t.ok(logger.events().includes('child.breaker-open'));
  for (let tries = 0; tries < 5; tries += 1) {
    const { length } = clock.sleptMs;
    t.equal(clock.sleptMs.at(-1), 30_000);
    const running = nextState();
    clock.advance(30_000);
    t.equal((await running).kind, 'running');
    const down = nextState();
    process.kill(child.pid ?? 0, 'SIGKILL');
    t.match(await down, { kind: 'down', code: 'CHILD_BREAKER_OPEN' });
    t.ok(clock.sleptMs.length > length);
  }
});

t.test('closes the breaker when a child has lived as long as the window', async (t) => {
  const parts = surroundings(t, LIVES);
  const { child, clock, nextState } = parts;
  await child.start(signal());
  await openBreaker(parts);
  const running = nextState();
  clock.advance(30_000);
  await running;
  clock.advance(60_000);
  const down = nextState();
  process.kill(child.pid ?? 0, 'SIGKILL');
  t.match(await down, { kind: 'down', code: 'EXITED' });
  const again = nextState();
  clock.advance(1000);
  t.equal((await again).kind, 'running', 'quickly, as at first');
});

t.test('says so when the supervision itself breaks, instead of ending in silence', async (t) => {
  const { child, failures, failed } = surroundings(t, LIVES);
  await child.start(signal());
  process.kill(child.pid ?? 0, 'SIGABRT');
  await failed;
  t.match(failures, [{ message: 'the judge broke' }]);
});

t.test('keeps exits outside the window from counting', async (t) => {
  const { child, clock, nextState } = surroundings(t, LIVES, { breakerExits: 2, breakerWindowMs: 500 });
  await child.start(signal());
  for (const _ of [1, 2, 3]) {
    const down = nextState();
    process.kill(child.pid ?? 0, 'SIGKILL');
    t.equal((await down).kind, 'down');
    const running = nextState();
    clock.advance(1000);
    t.equal((await running).kind, 'running');
  }
});

t.test('does not restart after an exit that must not be answered by a restart, and raises an alert', async (t) => {
  const script = `process.on("SIGUSR2", () => process.exit(101)); ${LIVES}`;
  const { child, nextState, logger } = surroundings(t, script);
  await child.start(signal());
  const failed = nextState();
  process.kill(child.pid ?? 0, 'SIGUSR2');
  t.match(await failed, { kind: 'failed', code: 'POISON' });
  t.ok(logger.records.some(({ level, event }) => level === 'fatal' && event === 'child.exited'));
});

t.test('does not restart after such an exit in the middle of a restart either, and raises the alert', async (t) => {
  const scripts = [LIVES, 'process.exit(101)'];
  const { child, clock, nextState, logger } = surroundings(t, () => scripts.shift() ?? LIVES);
  await child.start(signal());
  const down = nextState();
  process.kill(child.pid ?? 0, 'SIGKILL');
  t.equal((await down).kind, 'down');
  const failed = nextState();
  clock.advance(100);
  t.match(await failed, { kind: 'failed', code: 'POISON' });
  t.match(
    logger.records.filter(({ event }) => event === 'child.exited').map(({ level, fields }) => ({ level, ...fields })),
    [
      { level: 'error', code: 'EXITED', signal: 'SIGKILL' },
      { level: 'fatal', code: 'POISON', exitCode: 101 },
    ],
  );
  t.equal(clock.sleeping, 0, 'nothing waits to start it again');
});

t.test('restarts a child that ends before it is ready in the middle of a restart', async (t) => {
  const scripts = [LIVES, 'process.exit(1)'];
  const { child, clock, nextState } = surroundings(t, () => scripts.shift() ?? LIVES);
  await child.start(signal());
  let next = nextState();
  process.kill(child.pid ?? 0, 'SIGKILL');
  await next;
  next = nextState();
  clock.advance(100);
  t.match(await next, { kind: 'down', code: 'EXITED' });
  next = nextState();
  clock.advance(1000);
  t.match(await next, { kind: 'running', restarts: 2 });
});

t.test('rejects a child that ends before it is ready, by the code of its end', async (t) => {
  const { child } = surroundings(t, 'process.exit(0)');
  await t.rejects(child.start(signal()), { code: 'EXITED', message: 'test-child ended before it was ready: ended' });
});

t.test('rejects a child that never becomes ready, and ends it (CHILD_NOT_READY)', async (t) => {
  const { child, clock } = surroundings(t, 'setInterval(() => {}, 1e6)');
  const starting = rejectsCode(() => child.start(signal()), SupervisorError, 'CHILD_NOT_READY');
  await clock.untilSleeping();
  const pid = child.pid ?? 0;
  clock.advance(5000);
  await starting;
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

t.test('kills a child that ignores SIGTERM, after the grace', async (t) => {
  const { child, clock } = surroundings(t, IGNORES_SIGTERM);
  await child.start(signal());
  const pid = child.pid ?? 0;
  const stopping = child.stop();
  await clock.untilSleeping();
  clock.advance(5000);
  await stopping;
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});
