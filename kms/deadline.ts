/** One deadline over a chain of awaits, some of which (a device, a credential provider) cannot be aborted themselves. */
import { KmsError } from './errors.ts';

/**
 * Runs `run` with a signal that aborts on the caller's signal or after `timeoutMs`, and stops waiting for it then. What
 * `run` yields later is dropped, so it must not hold plaintext.
 * @throws the reason of the caller's signal; KmsError KMS_UNAVAILABLE after the time-out; else what `run` throws
 */
export async function withDeadline<Result>(
  signal: AbortSignal,
  timeoutMs: number,
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const timeout = new AbortController();
  const late = () =>
    timeout.abort(new KmsError('KMS_UNAVAILABLE', 'no answer in time', { allowed: `${timeoutMs} ms` }));
  const timer = setTimeout(late, timeoutMs);
  const either = AbortSignal.any([signal, timeout.signal]);
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(either.reason);
  either.addEventListener('abort', onAbort);
  try {
    either.throwIfAborted();
    return await Promise.race([run(either), aborted]);
  } catch (error) {
    either.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    either.removeEventListener('abort', onAbort);
  }
}
