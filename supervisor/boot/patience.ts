/**
 * Patient retry for what lies outside the enclave and may come back: KMS that throttles, a metadata service or a
 * database that is down. Only errors that the caller calls temporary are retried; the status says what is waited for.
 */
import { backoffMs } from '../../runtime/backoff.ts';
import { CodedError, describeError, errorCode } from '../../runtime/errors.ts';
import type { PhaseContext } from './phase.ts';

const RETRY = { minMs: 200, maxMs: 10_000 };

export interface Patience<Result> {
  /** What is being tried, for status and log. */
  readonly what: string;
  readonly attempt: (signal: AbortSignal) => Promise<Result>;
  readonly isTemporary: (error: unknown) => boolean;
  /** Runs between a failure and the next attempt, e.g. to fetch new credentials. */
  readonly beforeRetry?: (error: unknown) => void;
}

/** @throws the first error that is not temporary, or the context signal's reason. */
export async function retryPatiently<Result>(patience: Patience<Result>, context: PhaseContext): Promise<Result> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await patience.attempt(context.signal);
    } catch (error) {
      context.signal.throwIfAborted();
      if (!patience.isTemporary(error)) throw error;
      const waitMs = backoffMs(RETRY, attempt, context.random);
      const code = errorCode(error) ?? null;
      const reason = describeError(error);
      const advice = error instanceof CodedError ? error.action : undefined;
      const told = advice === undefined ? reason : `${reason}. ${advice}`;
      context.status.set({ detail: `${patience.what}: ${told}; attempt ${attempt + 2} follows`, errorCode: code });
      context.logger.log('warn', 'boot.retry', {
        what: patience.what,
        code,
        reason: told,
        attempt: attempt + 1,
        waitMs,
      });
      patience.beforeRetry?.(error);
      await context.clock.sleep(waitMs, context.signal);
    }
  }
}
