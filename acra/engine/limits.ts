/** What an engine may hold, and how long it waits. */
import { ENGINE_SESSIONS } from '../../config/engine-memory.ts';

export interface EngineLimits {
  /** Sessions at once; each is one more core that acra-server can use. */
  readonly connections: number;
  readonly maxValueBytes: number;
  readonly maxHeldBytes: number;
  readonly maxBatchBytes: number;
  readonly maxBatchTasks: number;
  /** Of one round, and of making a session. */
  readonly timeoutMs: number;
  /** What a round has beside that for each MiB that it asks about. */
  readonly timeoutPerMiBMs: number;
  /** While no session can be made; then what waits is given up. */
  readonly maxWaitMs: number;
  /** So many sessions may be lost over one value; then it is given up. */
  readonly maxLosses: number;
  /** Between two tries to make a session. */
  readonly retry: { readonly minMs: number; readonly maxMs: number };
}

export const MIB = 1024 * 1024;

/** What acra-server needs for them: config/engine-memory.ts. */
export const ENGINE_LIMITS: EngineLimits = {
  connections: ENGINE_SESSIONS,
  maxValueBytes: 16 * MIB,
  maxHeldBytes: 64 * MIB,
  maxBatchBytes: MIB,
  maxBatchTasks: 64,
  timeoutMs: 10_000,
  timeoutPerMiBMs: 5_000,
  maxWaitMs: 20_000,
  maxLosses: 3,
  retry: { minMs: 20, maxMs: 1_000 },
};
