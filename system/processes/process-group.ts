/** A child that was started `detached` leads a process group: all that it started ends with it. */
import { errorCode } from '../../runtime/errors.ts';

/** Does nothing where the group has ended already. */
export function endGroup(leader: number | undefined, signal: NodeJS.Signals = 'SIGTERM'): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, signal);
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}
