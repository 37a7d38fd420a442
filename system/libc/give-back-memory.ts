/**
 * After a daemon has come up: what it needed to come up goes back to the kernel, from V8 (runtime/small-heap.ts) and from the C library,
 * which keeps what was freed until it is asked: malloc_trim(3). Another C library than glibc has none to ask for, and nothing happens.
 */
import koffi from 'koffi';
import { collectAfterStart } from '../../runtime/small-heap.ts';

/** Those who waited for the daemon come first. */
const DELAY_MS = 1_000;

/** In a moment, for as long as a full collection takes nothing else happens in this thread. */
export function giveBackMemorySoon(): void {
  setTimeout(giveBackMemory, DELAY_MS).unref();
}

/** At once. What this process has then it uses, but for what lies scattered in pages of others. */
export function giveBackMemory(): void {
  collectAfterStart();
  let trim: ((pad: number) => number) | undefined;
  try {
    trim = koffi.load(null).func('int malloc_trim(size_t)');
  } catch {
    return;
  }
  trim(0);
}
