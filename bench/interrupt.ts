/** Ctrl-C ends a benchmark in order: what is running is ended, and folders are removed. A second one ends it at once. */
import { constants } from 'node:os';
import { UsageError } from './flags.ts';

class Interrupted extends Error {
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

/** What a benchmark's program ends with. @param run to its exit code; what it throws behind Ctrl-C is the consequence of that */
export async function exitCodeOf(run: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const signal = interruptSignal();
  try {
    return await run(signal);
  } catch (error) {
    if (signal.reason instanceof Interrupted) {
      console.error(`${signal.reason.message}: nothing was written`);
      return signal.reason.exitCode;
    }
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    return 2;
  }
}
