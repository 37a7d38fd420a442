/**
 * Whether the values that are under way fit the memory of acra-server as an engine (decision 16). It needs seven times a value, as measured
 * with 0.96.0, and has one of the long ones at a time in each session that is made through it.
 */

const MIB = 1024 * 1024;

/** Sessions through an acra-server at once; each is one more core that it can use. */
export const ENGINE_SESSIONS = 2;
const COPIES = 7;
/** Idle it has 33 MiB (docs/performance.md). */
const IDLE_BYTES = 64 * MIB;
/** However short messages may be: what was stored when longer ones were allowed can still be read. */
const MIN_VALUE_BYTES = 16 * MIB;

/** The longest value that an engine is asked about. @param maxMessageBytes that a client may send */
export function engineValueBytes(maxMessageBytes: number): number {
  return Math.max(MIN_VALUE_BYTES, maxMessageBytes);
}

interface Stated {
  /** `ingress.limits.maxMessageBytes`. */
  readonly maxMessageBytes: number;
  /** `acra.maxMemoryMiB`. */
  readonly maxMemoryMiB: number;
}

/** Undefined where it fits. */
export function engineMemoryFault({ maxMessageBytes, maxMemoryMiB }: Stated): string | undefined {
  const valueBytes = engineValueBytes(maxMessageBytes);
  const neededMiB = Math.ceil((IDLE_BYTES + ENGINE_SESSIONS * COPIES * valueBytes) / MIB);
  if (maxMemoryMiB >= neededMiB) return undefined;
  const why = `acra-server needs ${COPIES} times a value in each of ${ENGINE_SESSIONS} sessions, and values may have ${valueBytes} bytes`;
  const shorter = maxMessageBytes > MIN_VALUE_BYTES ? ', or ingress.limits.maxMessageBytes smaller' : '';
  return `must be at least ${neededMiB}${shorter}: ${why}`;
}
