/** What the supervisor's thread and the one that watches it have in common (watchdog.ts). */

export interface WatchdogTimes {
  readonly beatMs: number;
  readonly lookMs: number;
  /** In a row without a beat. Several: a machine that was not run for a while has missed one look, not all. */
  readonly looks: number;
}

/** Shared with the thread: [beats, whether it is told to stop]. */
export interface WatchdogData extends WatchdogTimes {
  readonly shared: SharedArrayBuffer;
}

export const BEATS = 0;
export const STOPPED = 1;
