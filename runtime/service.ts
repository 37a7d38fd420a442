/** Every long-lived part starts and stops the same way, so that a composer can stop them in reverse order and leave nothing behind. */

export interface Service {
  /** Resolves when the service works; rejects (leaving nothing behind) when it can't or when the signal aborts first. */
  start(signal: AbortSignal): Promise<void>;
  /** Idempotent. Resolves when everything that `start` made is gone. Never rejects because something was gone already. */
  stop(): Promise<void>;
}
