/** A supervised child whose processes are real, and whose clock is the test's. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Test as TapTest } from 'tap';
import type { ChildSpec, ChildState } from '../../../../supervisor/children/child.ts';
import { SupervisedChild } from '../../../../supervisor/children/child.ts';
import type { Exit } from '../../../../supervisor/children/exit.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

/** A real process that lives until told otherwise; `script` is what node runs. */
function launchNode(script: string) {
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(child, 'close').then(([code, signal]): Exit => ({ code, signal }));
  return {
    pid: child.pid ?? 0,
    exited,
    started: once(child.stdout, 'data'),
    kill: (signal: NodeJS.Signals) => void child.kill(signal),
  };
}

export const LIVES = 'setInterval(() => {}, 1e6); console.log("up")';

export function surroundings(t: TapTest, script: string | (() => string), over: Partial<ChildSpec['restart']> = {}) {
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  const states: ChildState[] = [];
  const exits: Exit[] = [];
  const failures: unknown[] = [];
  const { promise: failed, resolve: reportFailure } = Promise.withResolvers<void>();
  const waiting: ((state: ChildState) => void)[] = [];
  let current = launchNode('0');
  const spec: ChildSpec = {
    name: 'test-child',
    launch: () => {
      current = launchNode(typeof script === 'string' ? script : script());
      return current;
    },
    probe: async () => void (await current.started),
    judgeExit: (exit) => {
      exits.push(exit);
      if (exit.signal === 'SIGABRT') throw new TypeError('the judge broke');
      return exit.code === 101
        ? { code: 'POISON', meaning: 'poison record', restart: false, alert: true }
        : { code: 'EXITED', meaning: 'ended', restart: true, alert: false };
    },
    restart: {
      minMs: 100,
      maxMs: 1000,
      breakerExits: 3,
      breakerWindowMs: 60_000,
      breakerRetryMs: 30_000,
      stopGraceMs: 5000,
      probeTimeoutMs: 5000,
      ...over,
    },
  };
  const child = new SupervisedChild(spec, {
    clock,
    random: seededRandom('child'),
    logger,
    onState: (state) => {
      states.push(state);
      for (const resolve of waiting.splice(0)) resolve(state);
    },
    onFailure: (error) => {
      failures.push(error);
      reportFailure();
    },
  });
  t.teardown(() => child.stop());
  const nextState = () => new Promise<ChildState>((resolve) => waiting.push(resolve));
  return { child, clock, logger, states, exits, failures, failed, nextState };
}

/** Kills it so often that the breaker opens; it is down then. */
export async function openBreaker({ child, clock, nextState }: ReturnType<typeof surroundings>): Promise<ChildState> {
  for (;;) {
    const next = nextState();
    process.kill(child.pid ?? 0, 'SIGKILL');
    const state = await next;
    if (state.kind === 'down' && state.code === 'CHILD_BREAKER_OPEN') return state;
    const running = nextState();
    clock.advance(1000);
    await running;
  }
}
