/** Waiting for, or until, the abort of a signal, leaving no listener behind; and the reason of those that mean `stop`. */

/** Why a signal aborts when somebody asked for a stop: a reason, not a fault, so that it has no code. */
export class StopRequested extends Error {}

/** Resolves when the signal aborts. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** A reason that costs nothing: without one an abort makes a DOMException with its stack. */
const SETTLED = Symbol('settled');

/** Resolves with the promise, or rejects with the signal's reason as soon as it aborts. */
export async function untilAborted<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const settled = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: settled.signal });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    settled.abort(SETTLED);
  }
}
