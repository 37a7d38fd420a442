/**
 * Records on the machine's console, as JSON lines. Written at once and by file descriptor: the last words of a machine that
 * is about to end must be out when the call returns. Nobody waits for long for a console that takes nothing: a parent that
 * does not read it would else hold PID 1 in a write.
 */
import { constants, openSync, writeSync } from 'node:fs';
import { errorCode } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import { pauseThread } from '../../runtime/pause.ts';
import { unsentBytes } from '../../system/libc/machine-calls.ts';

const STDERR = 2;
/** The same console, and what it is called as long as nothing is mounted. */
const PATHS = ['/proc/self/fd/2', '/dev/console'];
const POLL_MS = 5;
const PATIENCE_MS = 1_000;

export const machineConsole: Logger = {
  log: (level, event, fields = {}) => {
    try {
      write(Buffer.from(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...fields })}\n`));
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
  for (let waitedMs = 0; unsentBytes(STDERR) > 0 && waitedMs < PATIENCE_MS; waitedMs += POLL_MS) pauseThread(POLL_MS);
}

let descriptor: number | undefined;
/** After a record that was given up: the next waits for nothing, and starts on a line of its own. */
let isStuck = false;

function write(record: Buffer): void {
  const bytes = isStuck ? Buffer.concat([Buffer.from('\n'), record]) : record;
  let waitedMs = isStuck ? PATIENCE_MS : 0;
  isStuck = true;
  descriptor ??= openConsole();
  for (let written = 0; written < bytes.length; ) {
    const taken = writeSome(descriptor ?? STDERR, bytes.subarray(written));
    written += taken;
    if (taken > 0) continue;
    if (waitedMs >= PATIENCE_MS) return;
    pauseThread(POLL_MS);
    waitedMs += POLL_MS;
  }
  isStuck = false;
}

/** How many bytes were taken; none when there is no room for any now. */
function writeSome(fd: number, bytes: Buffer): number {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    if (errorCode(error) === 'EAGAIN') return 0;
    throw error;
  }
}

/**
 * A description of our own, so that nobody else's writes become non-blocking with it. What cannot be opened anew (a socket,
 * somebody else's terminal) is no machine's console, and is written to as it is.
 */
function openConsole(): number | undefined {
  const { O_WRONLY, O_APPEND, O_NONBLOCK, O_NOCTTY } = constants;
  for (const path of PATHS) {
    try {
      return openSync(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') return undefined;
    }
  }
  return undefined;
}
