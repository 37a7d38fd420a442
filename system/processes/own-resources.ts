/**
 * What this process holds, file descriptors and memory, and what memory the machine has left (proc(5), `/proc/self/fd`, `/proc/self/limits`,
 * `/proc/self/stat`, `/proc/meminfo`). To look takes a descriptor. Where none is left daemons must go on and tell just that, so nothing
 * here throws for it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { errorCode } from '../../runtime/errors.ts';

const SOFT_LIMIT = /^Max open files\s+(\d+)/m;
const AVAILABLE = /^MemAvailable:\s+(\d+) kB$/m;
const KIB = 1024;
/** Of this process, of the whole machine. */
const NONE_LEFT = ['EMFILE', 'ENFILE'];

export interface Descriptors {
  readonly open: number;
  /** The soft limit; the largest safe integer where there is none. */
  readonly limit: number;
}

/** Nobody changes it while a daemon runs. */
let limitSeen: number | undefined;
let residentSeen = 0;
let availableSeen = 0;

function softLimit(): number {
  const limit = SOFT_LIMIT.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return limit === undefined ? Number.MAX_SAFE_INTEGER : Number(limit);
}

function unlessNoneIsLeft<Value>(look: () => Value, otherwise: () => Value): Value {
  try {
    return look();
  } catch (error) {
    if (NONE_LEFT.includes(errorCode(error) ?? '')) return otherwise();
    throw error;
  }
}

/** Counts the one that it needs for counting, too; all of them where none is left for that. */
export function ownDescriptors(): Descriptors {
  const all = () => {
    const limit = limitSeen ?? Number.MAX_SAFE_INTEGER;
    return { open: limit, limit };
  };
  return unlessNoneIsLeft(() => {
    limitSeen ??= softLimit();
    return { open: readdirSync('/proc/self/fd').length, limit: limitSeen };
  }, all);
}

/** As it was last seen where no descriptor is left to look with. */
export function ownResidentBytes(): number {
  residentSeen = unlessNoneIsLeft(
    () => process.memoryUsage.rss(),
    () => residentSeen,
  );
  return residentSeen;
}

/** What programs could still get without swapping; as it was last seen where no descriptor is left to look with. */
export function availableMemoryBytes(): number {
  availableSeen = unlessNoneIsLeft(
    () => Number(AVAILABLE.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0) * KIB,
    () => availableSeen,
  );
  return availableSeen;
}
