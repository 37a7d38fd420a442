/**
 * Keeps a hostile peer from flooding the log: of each kind of record, a few pass in each window; the next one that passes
 * tells how many did not.
 */

const RECORDS_PER_WINDOW = 10;
const WINDOW_MS = 10_000;

interface Window {
  startMs: number;
  passed: number;
  suppressed: number;
}

export class LogLimiter {
  readonly #windows = new Map<string, Window>();

  /** @returns how many records of this kind were suppressed since the last one that passed, or undefined to suppress this one. */
  admit(kind: string, nowMs: number): number | undefined {
    const window = this.#windows.get(kind) ?? { startMs: nowMs, passed: 0, suppressed: 0 };
    this.#windows.set(kind, window);
    if (nowMs - window.startMs >= WINDOW_MS) {
      window.startMs = nowMs;
      window.passed = 0;
    }
    if (window.passed >= RECORDS_PER_WINDOW) {
      window.suppressed += 1;
      return undefined;
    }
    window.passed += 1;
    const { suppressed } = window;
    window.suppressed = 0;
    return suppressed;
  }

  /** What has been suppressed and not told yet, by kind; for the last words before the end. */
  *untold(): Generator<readonly [kind: string, suppressed: number]> {
    for (const [kind, window] of this.#windows) if (window.suppressed > 0) yield [kind, window.suppressed];
  }

  /** Forgets kinds that start with `prefix`, when what they name is gone. */
  forget(prefix: string): void {
    for (const kind of this.#windows.keys()) if (kind.startsWith(prefix)) this.#windows.delete(kind);
  }
}
