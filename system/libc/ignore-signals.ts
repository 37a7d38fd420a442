/**
 * Has this process, and what it becomes, ignore the real-time signals until it asks for them itself. Node has no name for them: it tells the
 * death by one as an end with exit code 0, and a task that was killed would count as done. What catches, blocks or waits for such a signal
 * is not changed by it. By rt_sigaction(2), for the C library keeps the first ones to itself. Specification: signal(7), execve(2).
 */
import koffi from 'koffi';

/** asm-generic/signal.h; the last one that Node knows is SIGSYS, 31. */
const FIRST_REALTIME = 32;
const LAST_REALTIME = 64;
const SIG_IGN = 1n;
/** struct sigaction of the kernel: handler, flags, restorer, mask. */
const ACTION_BYTES = 32;
const SIGNAL_SET_BYTES = 8;
/** rt_sigaction, asm/unistd.h */
const NUMBERS: Readonly<Record<string, number>> = { x64: 13, arm64: 134 };

/** To be called last: the C library changes users by a signal that is ignored from here on. @returns whether the kernel did so */
export function ignoreRealtimeSignals(): boolean {
  const number = NUMBERS[process.arch];
  if (number === undefined) return false;
  const syscall = koffi.load(null).func('long syscall(long, long, void *, void *, long)');
  const action = Buffer.alloc(ACTION_BYTES);
  action.writeBigUInt64LE(SIG_IGN);
  for (let signal = FIRST_REALTIME; signal <= LAST_REALTIME; signal += 1)
    if (syscall(number, signal, action, null, SIGNAL_SET_BYTES) !== 0) return false;
  return true;
}
