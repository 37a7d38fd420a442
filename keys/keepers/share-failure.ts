/**
 * What is thrown when too few KMS keys give their share. That they refuse is told apart from an outage: a lease ends by the one and outlives
 * the other.
 */

import { KmsError } from '../../kms/errors.ts';
import { describeError, errorCode } from '../../runtime/errors.ts';
import { KeeperError } from './errors.ts';

export interface ShareFailure {
  readonly keyArn: string;
  readonly error: unknown;
}

/** Whoever asked over vsock is told the message alone. @param spare so many of the shares may be missing. @returns KeeperError KEY_SHARES_REFUSED, KEY_SHARES_UNAVAILABLE */
export function tooFewShares(failures: readonly ShareFailure[], spare: number, message: string): KeeperError {
  const refused = failures.filter(({ error }) => error instanceof KmsError && error.isRefusal).length;
  const code = refused > spare ? 'KEY_SHARES_REFUSED' : 'KEY_SHARES_UNAVAILABLE';
  const missing = failures
    .map(({ keyArn, error }) => `${keyArn}: ${errorCode(error) ?? describeError(error)}`)
    .join(', ');
  return new KeeperError(code, `${message}: ${missing}`, { cause: failures[0]?.error, causeIsTold: true });
}
