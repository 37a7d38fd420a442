/**
 * Keeps the process small while values of megabytes pass: the library puts each long message together from ever longer Buffers, and V8 lets
 * 64 MB of these go unused before it collects them (heap.h, kExternalAllocationSoftLimit). So it is told to, whenever that many bytes passed.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const BYTES_BETWEEN = 1024 * 1024;

let collect: (() => void) | undefined;
let passedBytes = 0;

/** V8 has no other door to it. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

/** @param bytes of values that came, and are not needed any more */
export function letGo(bytes: number): void {
  passedBytes += bytes;
  if (passedBytes < BYTES_BETWEEN) return;
  passedBytes = 0;
  collect ??= collector();
  collect();
}
