/** Runs what writes files so that SIGINT and SIGTERM end it in order, with nothing half-written left. */
import { watchStopSignals } from '../until-signal.ts';

export async function untilStopped<Result>(run: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const stop = watchStopSignals();
  try {
    return await run(stop.signal);
  } finally {
    stop.dispose();
  }
}
