/**
 * One process at a time, over flock(2). The lock is held by a small process that reads from a pipe of ours: however we
 * end, the pipe closes and the lock is free.
 */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { endGroup } from '../../system/processes/process-group.ts';
import { KernelError } from '../build-errors.ts';

/** Says that it waits, again and again; says that it has the lock; waits for the end of its input. */
const HOLD = `exec 9>>"$0"
flock -n 9 || { echo waiting; until flock -w 15 9; do echo waiting; done; }
echo locked; read -r end`;

/**
 * Runs `action` while no other process holds the lock at `path`; the file is made and stays. `onWait` is called at once
 * when another one has it, then every 15 s.
 * @throws KernelError KERNEL_LOCK; the signal's reason
 */
export async function withFileLock<Result>(
  path: string,
  signal: AbortSignal,
  onWait: () => void,
  action: () => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted();
  const holder = spawn('sh', ['-c', HOLD, path], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // An interrupt from the terminal is ours to answer first.
    detached: true,
  });
  const ended = new Promise<void>((resolve, reject) => {
    holder.once('error', reject);
    holder.once('close', () => resolve());
  });
  const stop = (): void => endGroup(holder.pid);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const locked = await Promise.race([untilLocked(holder.stdout, onWait), ended.then(() => false)]);
    // From here on the action answers the signal, and keeps the lock until it has cleaned up.
    signal.removeEventListener('abort', stop);
    signal.throwIfAborted();
    if (!locked) throw new KernelError('KERNEL_LOCK', `could not lock ${path}`);
    return await action();
  } finally {
    signal.removeEventListener('abort', stop);
    holder.stdin.end();
    await ended;
  }
}

async function untilLocked(output: Readable, onWait: () => void): Promise<boolean> {
  for await (const line of createInterface({ input: output })) {
    if (line === 'locked') return true;
    onWait();
  }
  return false;
}
