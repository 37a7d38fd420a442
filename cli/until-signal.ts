/**
 * SIGTERM and SIGINT as an AbortSignal. Another one, a while later, ends the process at once, for whoever is in a hurry;
 * right behind the first it is the same wish told twice (a terminal and a process manager both tell).
 */
import { StopRequested } from '../runtime/abort.ts';

const EXIT_AFTER_SECOND_SIGNAL = 130;
const SAME_WISH_MS = 1_000;

export interface SignalWatch {
  readonly signal: AbortSignal;
  readonly dispose: () => void;
}

export function watchStopSignals(): SignalWatch {
  const controller = new AbortController();
  let firstMs = Number.POSITIVE_INFINITY;
  const onSignal = (name: NodeJS.Signals) => {
    if (performance.now() - firstMs > SAME_WISH_MS) process.exit(EXIT_AFTER_SECOND_SIGNAL);
    firstMs = Math.min(firstMs, performance.now());
    controller.abort(new StopRequested(`received ${name}`));
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return {
    signal: controller.signal,
    dispose: () => {
      process.off('SIGTERM', onSignal);
      process.off('SIGINT', onSignal);
    },
  };
}

/** Runs what ends in order, with nothing half-done left, at SIGINT or SIGTERM. */
export async function untilStopped<Result>(run: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const stop = watchStopSignals();
  try {
    return await run(stop.signal);
  } finally {
    stop.dispose();
  }
}
