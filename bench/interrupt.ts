/** Ctrl-C ends a benchmark in order: what is running is ended, and folders are removed. A second one ends it at once. */
import { constants } from 'node:os';

export class Interrupted extends Error {
  /** As a shell tells it. */
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      console.error('ending what runs …');
      controller.abort(new Interrupted(signal));
    });
  }
  return controller.signal;
}
