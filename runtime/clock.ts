/** Time as a dependency, so that every deadline, back-off and expiry can be tested without waiting for it. */

export interface Clock {
  /** Wall time in milliseconds since the epoch. May jump. */
  nowMs(): number;
  /** Milliseconds on a clock that never goes back. Origin unspecified; use differences only. */
  monotonicMs(): number;
  /**
   * Resolves after `durationMs` (the system's: 24 days at most); rejects with the signal's reason as soon as it aborts.
   * Leaves no timer behind.
   */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>;
}

/** What Node's timers can count; from anything longer they wake after a millisecond. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep(durationMs, signal) {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(
        () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
        Math.min(durationMs, MAX_TIMER_MS),
      );
      signal.addEventListener('abort', onAbort, { once: true });
    });
  },
};
