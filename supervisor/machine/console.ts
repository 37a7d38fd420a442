/**
 * Records on the machine's console, as JSON lines. Written at once and by file descriptor: the last words of a machine that
 * is about to end must be out when the call returns, and a console that takes nothing must not end it.
 */
import { writeSync } from 'node:fs';
import type { Logger } from '../../runtime/log.ts';
import { unsentBytes } from './calls.ts';

const STDERR = 2;
const DRAIN_POLL_MS = 5;
const DRAIN_MS = 1_000;

export const machineConsole: Logger = {
  log: (level, event, fields = {}) => {
    try {
      writeSync(STDERR, `${JSON.stringify({ time: new Date().toISOString(), level, event, ...fields })}\n`);
    } catch {
      // nobody is left to tell
    }
  },
};

/**
 * Waits, without the event loop, until the console has sent what it took: the kernel's own words at the end of the machine
 * overtake what a terminal still holds, and tear the line. At most a second: a parent that does not read keeps nobody here.
 */
export function drainConsole(): void {
  const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  for (let waitedMs = 0; unsentBytes(STDERR) > 0 && waitedMs < DRAIN_MS; waitedMs += DRAIN_POLL_MS) {
    Atomics.wait(never, 0, 0, DRAIN_POLL_MS);
  }
}
