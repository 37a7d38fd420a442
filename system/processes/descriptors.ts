/** How many file descriptors this process has open, and how many it may have: proc(5), `/proc/self/fd` and `/proc/self/limits`. */
import { readdirSync, readFileSync } from 'node:fs';

const SOFT_LIMIT = /^Max open files\s+(\d+)/m;

export interface Descriptors {
  readonly open: number;
  /** The soft limit; the largest safe integer where there is none. */
  readonly limit: number;
}

/** Counts the one that it needs for counting, too. */
export function ownDescriptors(): Descriptors {
  const limit = SOFT_LIMIT.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return {
    open: readdirSync('/proc/self/fd').length,
    limit: limit === undefined ? Number.MAX_SAFE_INTEGER : Number(limit),
  };
}
