/** Error codes of KMS answers and of the recipient envelopes in them. */
import type { ErrorCatalogue, ErrorDetails } from '../runtime/errors.ts';
import { CodedError } from '../runtime/errors.ts';

const REPORT = 'Check that both ends run the same release; otherwise treat the sender as hostile.';

export const CMS_ERRORS = {
  CMS_TOO_LARGE: { meaning: 'A recipient envelope is longer than any that KMS makes.', action: REPORT },
  CMS_SYNTAX: {
    meaning: 'A recipient envelope is not the EnvelopedData structure that KMS makes.',
    action: 'Check what answers at the KMS endpoint.',
  },
  CMS_UNSUPPORTED: {
    meaning: 'A recipient envelope uses other algorithms or parameters than RSAES-OAEP with SHA-256 and AES-256-CBC.',
    action: 'Check what answers at the KMS endpoint.',
  },
  CMS_DECRYPT_FAILED: {
    meaning: 'A recipient envelope does not open: it was made for another key or was changed.',
    action: 'Try again; if it persists, something between the enclave and KMS changes answers.',
  },
} as const satisfies ErrorCatalogue;

export class CmsError extends CodedError<keyof typeof CMS_ERRORS> {}

const KEY_STATE = 'Look at the key in the KMS console and at the pinned ARN in the measured configuration.';
const NETWORK = 'It is tried again; check the route to the KMS endpoint if it lasts.';

export const KMS_ERRORS = {
  KMS_ENDPOINT_INVALID: {
    meaning: 'The KMS endpoint is not an https:// address of a host.',
    action: 'Set kms.endpoint to https://host[:port].',
  },
  KMS_CA_INVALID: {
    meaning: 'The CA that KMS shall be verified with is not a PEM certificate.',
    action: 'Put the CA certificate in PEM form into the file that the measured configuration names.',
  },
  KMS_KEY_ARN_INVALID: {
    meaning: 'The key is not named by a full key ARN; aliases can be pointed elsewhere by others.',
    action: 'Use arn:<partition>:kms:<region>:<account>:key/<id>.',
  },
  KMS_REQUEST_INVALID: {
    meaning: 'KMS, or the client before it, found the request malformed or out of range.',
    action: 'Check ciphertext, encryption context and lengths.',
  },
  KMS_ACCESS_DENIED: {
    meaning: 'KMS refused: the key policy does not allow these measurements, this role or this encryption context.',
    action: 'Compare the kms:RecipientAttestation conditions of the key policy with the measurements of this enclave.',
  },
  KMS_INVALID_CIPHERTEXT: {
    meaning:
      'KMS cannot open the ciphertext: it was changed, or the encryption context is not the one it was made with.',
    action: 'Use the ciphertext and encryption context of the same key ceremony.',
  },
  KMS_INCORRECT_KEY: { meaning: 'The ciphertext was made under another key than the pinned one.', action: KEY_STATE },
  KMS_WRONG_KEY: { meaning: 'KMS answered in the name of another key than the pinned one.', action: KEY_STATE },
  KMS_NOT_FOUND: { meaning: 'KMS does not know the pinned key.', action: KEY_STATE },
  KMS_KEY_UNUSABLE: { meaning: 'The key is disabled, pending deletion or of another kind.', action: KEY_STATE },
  KMS_CREDENTIALS_EXPIRED: {
    meaning: 'KMS does not accept the credentials (any more).',
    action: 'They are fetched anew; check the instance role if it lasts.',
  },
  KMS_CREDENTIALS_UNAVAILABLE: {
    meaning: 'There are no credentials to sign the request with.',
    action: 'Check the instance role and the route to the metadata service.',
  },
  KMS_SIGNATURE_REFUSED: {
    meaning: 'KMS does not accept the signature of the request: wrong secret key, region, or clock of the enclave.',
    action: 'Check kms.region, and the clock of the enclave against the time in the message.',
  },
  KMS_THROTTLED: { meaning: 'KMS limits the rate of requests.', action: 'It is tried again more slowly.' },
  KMS_UNAVAILABLE: { meaning: 'KMS cannot be reached, answers too late, or failed inside.', action: NETWORK },
  KMS_TLS_UNTRUSTED: {
    meaning: 'The certificate at the KMS endpoint does not verify: somebody may sit in between.',
    action: 'Check kms.endpoint and its CA file in the measured configuration.',
  },
  KMS_PLAINTEXT_RETURNED: {
    meaning: 'The answer carries the plaintext: what answered ignored the attestation document.',
    action: 'Use a KMS endpoint that supports Recipient; consider the key exposed to that endpoint.',
  },
  KMS_RECIPIENT_MISSING: {
    meaning: 'The answer lacks CiphertextForRecipient.',
    action: 'Use a KMS endpoint that supports Recipient.',
  },
  KMS_RESPONSE_INVALID: {
    meaning: 'The answer is malformed, lacks a field, or has a secret of another length than was asked for.',
    action: 'Check what answers at the KMS endpoint.',
  },
  KMS_RESPONSE_TOO_LARGE: {
    meaning: 'The answer is longer than any that KMS makes.',
    action: 'Check what answers at the KMS endpoint.',
  },
  KMS_SERVICE_ERROR: { meaning: 'KMS answered with an error that is not known here.', action: 'Look up its name.' },
  KMS_CLOSED: {
    meaning: 'The KMS client was used after it had been closed.',
    action: 'Report it: parts were stopped in the wrong order.',
  },
} as const satisfies ErrorCatalogue;

export type KmsErrorCode = keyof typeof KMS_ERRORS;

const RETRYABLE: ReadonlySet<KmsErrorCode> = new Set([
  'KMS_CREDENTIALS_EXPIRED',
  'KMS_CREDENTIALS_UNAVAILABLE',
  'KMS_THROTTLED',
  'KMS_UNAVAILABLE',
]);

/** AWS's words for a key or a caller that is refused (kms/failure.ts): access denied; disabled or pending deletion; gone. */
const REFUSALS: ReadonlySet<KmsErrorCode> = new Set(['KMS_ACCESS_DENIED', 'KMS_KEY_UNUSABLE', 'KMS_NOT_FOUND']);

export class KmsError extends CodedError<KmsErrorCode> {
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  /** Whether somebody has decided that this caller does not get this key: no outage, and no fault of the request. */
  readonly isRefusal: boolean;

  constructor(code: KmsErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
    this.retryable = RETRYABLE.has(code);
    this.isRefusal = REFUSALS.has(code);
  }
}

/** The operator's own requests to KMS; the code is older than its place. */
export const KMS_OPERATOR_ERRORS = {
  CLI_KMS_REFUSED: {
    meaning: 'KMS did not encrypt the new master key.',
    action:
      'Check the key ARN, your credentials (environment, `AWS_PROFILE`, `aws sso login`) and that they may call kms:Encrypt.',
  },
} as const satisfies ErrorCatalogue;

export class KmsOperatorError extends CodedError<keyof typeof KMS_OPERATOR_ERRORS> {}
