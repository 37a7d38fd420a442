/**
 * The process that nitro-cli leaves behind to own an enclave. It cannot be addressed before the enclave has booted (its
 * socket appears only then), but it inherits its environment: a random mark in there finds it in /proc. Ending it closes
 * its descriptor of the enclave, and the driver then ends the enclave (ne_misc_dev.c, ne_enclave_release).
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '../../../runtime/clock.ts';

export const MARK_VARIABLE = 'ACRA_ENCLAVE_RUN';

const LOOK_INTERVAL_MS = 20;

function hasMark(pid: string, entry: Buffer): boolean {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`);
    return Buffer.concat([Buffer.from('\0'), environment]).includes(entry);
  } catch {
    return false; // Gone meanwhile, or another user's.
  }
}

function killMarked(mark: string): number {
  const entry = Buffer.from(`\0${MARK_VARIABLE}=${mark}\0`);
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && hasMark(name, entry));
  for (const pid of pids) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // Gone meanwhile.
    }
  }
  return pids.length;
}

/** Ends every process with the mark, one that is just being forked too. @returns whether there was any. */
export async function endMarked(mark: string, clock: Clock): Promise<boolean> {
  const never = new AbortController().signal;
  let found = false;
  while (killMarked(mark) > 0) {
    found = true;
    await clock.sleep(LOOK_INTERVAL_MS, never);
  }
  return found;
}
