/**
 * The thread that watches (watchdog.ts). It sleeps in Atomics.wait, has no event loop that could be held, and its last act is the end of the
 * machine, or of the process where another owns that.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { endMachine } from '../../system/libc/machine-calls.ts';
import { drainConsole, machineConsole } from '../machine/console.ts';
import { isInit } from '../machine/init.ts';
import { BEATS, STOPPED, type WatchdogData } from './shared-numbers.ts';

const { shared, lookMs, looks }: WatchdogData = workerData;
const numbers = new Int32Array(shared);

function bark(): void {
  const reason = `the supervisor has not turned its event loop for ${looks * lookMs} ms`;
  machineConsole.log('fatal', 'watchdog.held', { code: 'SUPERVISOR_HELD', reason });
  drainConsole();
  if (isInit()) endMachine();
  process.kill(process.pid, 'SIGKILL');
}

let seen = Atomics.load(numbers, BEATS);
let missed = 0;
parentPort?.postMessage('watching');
while (Atomics.wait(numbers, STOPPED, 0, lookMs) === 'timed-out') {
  const beats = Atomics.load(numbers, BEATS);
  missed = beats === seen ? missed + 1 : 0;
  seen = beats;
  if (missed >= looks) bark();
}
