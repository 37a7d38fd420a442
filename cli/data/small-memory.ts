/**
 * Keeps the process small while values of megabytes pass: each chunk that comes is a Buffer of its own, and V8 lets 64 MB of these go unused
 * before it collects them (heap.h, kExternalAllocationSoftLimit). So it is told to, whenever some bytes passed: most are young, and cost
 * next to nothing; what has grown old is collected more seldom.
 */
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const BYTES_BETWEEN = 1024 * 1024;
const MINOR_BETWEEN_MAJOR = 16;

type Collect = (options: { readonly type: 'minor' | 'major' }) => void;

let collect: Collect | undefined;
let passedBytes = 0;
let collections = 0;

/** V8 has no other door to it. */
function collector(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}

/** @param bytes of values that came, and are not needed any more */
export function letGo(bytes: number): void {
  passedBytes += bytes;
  if (passedBytes < BYTES_BETWEEN) return;
  passedBytes = 0;
  collections += 1;
  collect ??= collector();
  collect({ type: collections % MINOR_BETWEEN_MAJOR === 0 ? 'major' : 'minor' });
}

/**
 * The most that this process had resident, in KiB, from `/proc/self/status` (VmHWM). What getrusage(2) says begins with what the process
 * had that started this one.
 */
export function peakResidentKib(): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0);
}
