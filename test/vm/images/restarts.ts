/**
 * PID 1 with a child that ends as soon as it runs, and others that leave orphans behind: prints memory and zombies as it
 * goes. The child is what the image has in the place of acra-server, so that a start costs little.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { whenAborted } from '../../../runtime/abort.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { Deadline } from '../../../runtime/deadline.ts';
import { silentLogger } from '../../../runtime/log.ts';
import { systemRandom } from '../../../runtime/random.ts';
import type { ProcessHandle } from '../../../supervisor/children/child.ts';
import { SupervisedChild } from '../../../supervisor/children/child.ts';
import type { Exit } from '../../../supervisor/children/exit.ts';
import { drainConsole } from '../../../supervisor/machine/console.ts';
import { enclavePlatform } from '../../../supervisor/machine/platform.ts';
import { giveBackMemory } from '../../../system/libc/give-back-memory.ts';
import { endMachine } from '../../../system/libc/machine-calls.ts';
import { markOwnChild } from '../../../system/processes/own-children.ts';
import { printReport } from '../../support/console-reports.ts';
import { ORPHAN_EVERY, ORPHANS, RESTARTS } from '../support/restarts.ts';

const { program, leadingArguments } = JSON.parse(readFileSync('/acra/program.json', 'utf8')) as {
  program: string;
  leadingArguments: string[];
};
/** A Node process that starts another one, detached, and ends before it: its child loses its parent. */
const MAKE_ORPHAN = `require('node:child_process').spawn(${JSON.stringify(program)}, ${JSON.stringify(leadingArguments)}, {detached: true, stdio: 'ignore'}).unref()`;

function started(command: string, args: readonly string[]): ProcessHandle {
  const child = markOwnChild(spawn(command, args, { stdio: 'ignore', env: {} }));
  const exited = new Promise<Exit>((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  return { pid: child.pid ?? 0, exited, kill: (signal) => void child.kill(signal) };
}

function zombies(): number {
  const states = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      } catch {
        return undefined;
      }
    });
  return states.filter((state) => state === 'Z').length;
}

const ORPHANS_MS = 60_000;
const never = new AbortController().signal;
let orphans = 0;
const allOrphans = Promise.withResolvers<void>();

function report(restarts: number): void {
  giveBackMemory();
  const heapKiB = Math.round(process.memoryUsage().heapUsed / 1024);
  const rssKiB = Math.round(process.memoryUsage.rss() / 1024);
  const descriptors = readdirSync('/proc/self/fd').length;
  printReport('RESTARTS', { restarts, rssKiB, heapKiB, descriptors, zombies: zombies(), orphans });
}

await enclavePlatform().prepareMachine({
  log: (_level, event) => {
    if (event !== 'machine.orphan-reaped') return;
    orphans += 1;
    if (orphans >= ORPHANS) allOrphans.resolve();
  },
});
let launches = 0;
const makers: Promise<Exit>[] = [];
let done: () => void = () => undefined;
const finished = new Promise<void>((resolve) => {
  done = resolve;
});
const child = new SupervisedChild(
  {
    name: 'short-lived',
    launch() {
      launches += 1;
      if (launches % ORPHAN_EVERY === 0) makers.push(started(process.execPath, ['-e', MAKE_ORPHAN]).exited);
      if (launches % 100 === 0) report(launches);
      if (launches > RESTARTS) done();
      return started(program, leadingArguments);
    },
    probe: async () => undefined,
    judgeExit: () => ({ code: 'TEST', meaning: 'ended', restart: true, alert: false }),
    restart: {
      minMs: 1,
      maxMs: 1,
      breakerExits: RESTARTS * 2,
      breakerWindowMs: 1,
      breakerRetryMs: 1,
      stopGraceMs: 5_000,
      probeTimeoutMs: 5_000,
    },
  },
  {
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    onState: () => undefined,
    onFailure: () => undefined,
  },
);
await child.start(never);
await finished;
await child.stop();
// Whoever leaves the last orphan behind may still be starting, or has ended and is not waited for yet although its orphan was.
const due = new Deadline(systemClock, ORPHANS_MS);
await Promise.race([Promise.all([allOrphans.promise, ...makers]), whenAborted(due.signal)]);
due[Symbol.dispose]();
report(launches);
drainConsole();
endMachine();
