/**
 * The process that nitro-cli leaves behind to own an enclave. It cannot be addressed before the enclave has booted (its
 * socket appears only then), but it inherits its environment: a random mark in there finds it in /proc. Ending it closes
 * its descriptor of the enclave, and the driver then ends the enclave (ne_misc_dev.c, ne_enclave_release).
 *
 * nitro-cli itself has the mark too, and is spared: killed while it asks the parent's other enclaves, it would end them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '../../../runtime/clock.ts';
import { isOwnChild } from '../../../system/processes/own-children.ts';
import { OwnerProcess } from './owner-process.ts';

export const MARK_VARIABLE = 'ACRA_ENCLAVE_RUN';

const LOOK_INTERVAL_MS = 20;
/** A process that waits for a device ignores even SIGKILL; freeing an enclave's memory takes a while. */
const END_TIMEOUT_MS = 10_000;

function hasMark(pid: string, entry: Buffer): boolean {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`);
    return Buffer.concat([Buffer.from('\0'), environment]).includes(entry);
  } catch {
    return false; // Gone meanwhile, or another user's.
  }
}

function findMarked(mark: string): readonly number[] {
  const entry = Buffer.from(`\0${MARK_VARIABLE}=${mark}\0`);
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && !isOwnChild(Number(name)));
  return pids.filter((pid) => hasMark(pid, entry)).map(Number);
}

function kill(pid: number): OwnerProcess {
  const owner = new OwnerProcess(pid);
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone meanwhile.
  }
  return owner;
}

/**
 * Ends every process with the mark, one that is just being forked too, and waits until they are gone.
 * @returns false when one is still there after 10 s.
 */
export async function endMarked(mark: string, clock: Clock): Promise<boolean> {
  const never = new AbortController().signal;
  const startMs = clock.monotonicMs();
  let ending: OwnerProcess[] = [];
  for (;;) {
    const found = findMarked(mark).map(kill);
    // One that is exiting has lost its environment already, but not yet the descriptor.
    ending = [...found, ...ending.filter((owner) => !owner.isGone())];
    if (ending.length === 0) return true;
    if (clock.monotonicMs() - startMs >= END_TIMEOUT_MS) return false;
    await clock.sleep(LOOK_INTERVAL_MS, never);
  }
}
