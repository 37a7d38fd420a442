/** Signals to processes that may have ended by themselves meanwhile. */
import { errorCode } from '../runtime/errors.ts';

export function kill(pid: number, signal: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}
