/** Error codes of KMS policies: documents that are none, and wishes that contradict each other. */
import type { ErrorCatalogue } from '../../runtime/errors.ts';
import { CodedError } from '../../runtime/errors.ts';

export const KMS_POLICY_ERRORS = {
  KMS_POLICY_SYNTAX: {
    meaning: 'A policy, or a list of grants, is not a document as KMS and IAM know it.',
    action:
      'Pass what `aws kms get-key-policy`, `aws kms list-grants` or `aws iam get-role-policy` prints, or the policy document itself.',
  },
  KMS_POLICY_WISH: {
    meaning: 'No policy can be made of what was asked for.',
    action: 'Read what is missing or contradicts; see `acra-enclave policy print --help`.',
  },
} as const satisfies ErrorCatalogue;

export class KmsPolicyError extends CodedError<keyof typeof KMS_POLICY_ERRORS> {}
