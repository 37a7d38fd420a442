/** Where the life cycle of an enclave is, for commands, service manager and terminal. */

/**
 * `starting`: the machine, up to its heartbeat. `booting`: from the heartbeat until it serves. `waiting`: to be started
 * again. `closed`: it failed after it had served, and its machine is left as it is, for whoever looks into it. `ended`: for good.
 */
export const STAGES = ['idle', 'starting', 'booting', 'serving', 'closed', 'stopping', 'waiting', 'ended'] as const;
export type Stage = (typeof STAGES)[number];

/** How the last enclave ended. */
export interface LastEnd {
  readonly atMs: number;
  /** A code of docs/errors.md; null when it ended in order. */
  readonly code: string | null;
  readonly reason: string;
  /** What the enclave had said of itself, with its own code. */
  readonly reported: { readonly code: string; readonly message: string } | null;
}

export interface LifecycleStatus {
  readonly stage: Stage;
  readonly sinceMs: number;
  /** Of the machine that runs now. */
  readonly id: string | null;
  readonly restarts: number;
  readonly lastEnd: LastEnd | null;
}
