/** A child that was started `detached` leads a process group: all that it started ends with it. */
import type { ChildProcess } from 'node:child_process';
import { errorCode } from '../../runtime/errors.ts';

/** Does nothing where the group has ended already. */
export function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGTERM');
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}
