/** Why an enclave does not answer a request: refusals carry these codes, and those of the security module. */
import type { ErrorCatalogue } from '../../runtime/errors.ts';
import { CodedError } from '../../runtime/errors.ts';

export const REQUEST_ERRORS = {
  REQUEST_MALFORMED: {
    meaning: 'What was sent is no request that this enclave knows, or is too long.',
    action: 'Ask as docs/specs/attestation-requests.md says; check that both ends run the same release.',
  },
  REQUEST_RATE_LIMITED: {
    meaning:
      'More was asked in the last second than the enclave answers; documents are made one by one, and never kept.',
    action: 'Ask again after a second. `acra_enclave_attestation_requests_total` tells how much is asked.',
  },
  REQUEST_QUEUE_FULL: {
    meaning: 'The security module is busy with earlier requests.',
    action: 'Ask again after a second; if it persists, look for `attestation.failed` in the log.',
  },
  REQUEST_CANCELLED: {
    meaning: 'Who asked left, or waited too long, before the answer was there.',
    action: 'Ask again; if it persists, look for `attestation.failed` in the log.',
  },
  REQUEST_KEY_CHANGED: {
    meaning: 'The enclave got another TLS key while it answered: its attestation would not be for this connection.',
    action: 'Ask again, over a new connection.',
  },
  REQUEST_FAILED: {
    meaning: 'The enclave met an error that has no code of its own while it answered.',
    action: 'Report the log record `attestation.failed`, or `keys.failed`.',
  },
} as const satisfies ErrorCatalogue;

export class RequestError extends CodedError<keyof typeof REQUEST_ERRORS> {}
