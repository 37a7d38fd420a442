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

/**
 * Resolves with the promise, or rejects with the signal's reason as soon as it aborts. By hand: a race with a second controller that takes the
 * listener back costs several times as much, and this is on the way of every message.
 */
export function untilAborted<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    const settle = () => signal.removeEventListener('abort', onAbort);
    promise.then(
      (result) => {
        settle();
        resolve(result);
      },
      (error: unknown) => {
        settle();
        reject(error);
      },
    );
    // A promise that is settled already comes first.
    if (signal.aborted) queueMicrotask(onAbort);
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
