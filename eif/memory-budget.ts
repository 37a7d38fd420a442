/**
 * Whether an enclave's memory is enough for its root file system, which lies unpacked in it: the kernel gives the file system
 * half of the memory (tmpfs, Documentation/filesystems/tmpfs.rst: size) and boots no image that needs more; and the rest must
 * do for Node, acra-server and every session.
 */

const BYTES_PER_MIB = 1024 * 1024;
const MAX_SHARE = 0.5;
const GOOD_SHARE = 0.4;

export interface MemoryBudget {
  readonly outcome: 'enough' | 'tight' | 'too-small';
  /** For people: what takes how much of what. */
  readonly found: string;
  /** With this it would be enough. */
  readonly goodMiB: number;
  /** With less it does not boot. */
  readonly neededMiB: number;
}

const mebibytesFor = (bytes: number, share: number) => Math.ceil(bytes / share / BYTES_PER_MIB);

/** @param unpackedBytes of the root file system, in whole pages */
export function memoryBudget(unpackedBytes: number, memoryMiB: number): MemoryBudget {
  const share = unpackedBytes / (memoryMiB * BYTES_PER_MIB);
  const outcome = share > MAX_SHARE ? 'too-small' : share > GOOD_SHARE ? 'tight' : 'enough';
  const size = (unpackedBytes / BYTES_PER_MIB).toFixed(1);
  return {
    outcome,
    found: `the root file system takes ${size} of ${memoryMiB} MiB (${(share * 100).toFixed(1)} %)`,
    goodMiB: mebibytesFor(unpackedBytes, GOOD_SHARE),
    neededMiB: mebibytesFor(unpackedBytes, MAX_SHARE),
  };
}
