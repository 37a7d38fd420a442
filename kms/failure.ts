/**
 * What went wrong between us and KMS, as one of our codes. Errors of the SDK drag the whole answer along, in fields that
 * a logger may follow; so only their name and message go on as the cause.
 * Specification: KMS API reference, errors of Decrypt, GenerateDataKey and GenerateRandom, and common errors.
 */
import { CodedError } from '../runtime/errors.ts';
import { quoteStranger } from '../runtime/harmless-text.ts';
import type { KmsErrorCode } from './errors.ts';
import { KmsError } from './errors.ts';

const SERVICE_ERRORS: ReadonlyMap<string, KmsErrorCode> = new Map([
  ['AccessDeniedException', 'KMS_ACCESS_DENIED'],
  ['InvalidCiphertextException', 'KMS_INVALID_CIPHERTEXT'],
  ['IncorrectKeyException', 'KMS_INCORRECT_KEY'],
  ['NotFoundException', 'KMS_NOT_FOUND'],
  ['DisabledException', 'KMS_KEY_UNUSABLE'],
  ['KMSInvalidStateException', 'KMS_KEY_UNUSABLE'],
  ['InvalidKeyUsageException', 'KMS_KEY_UNUSABLE'],
  ['ThrottlingException', 'KMS_THROTTLED'],
  ['LimitExceededException', 'KMS_THROTTLED'],
  ['RequestLimitExceeded', 'KMS_THROTTLED'],
  ['ExpiredTokenException', 'KMS_CREDENTIALS_EXPIRED'],
  ['UnrecognizedClientException', 'KMS_CREDENTIALS_EXPIRED'],
  ['InvalidClientTokenId', 'KMS_CREDENTIALS_EXPIRED'],
  ['InvalidSignatureException', 'KMS_SIGNATURE_REFUSED'],
  ['IncompleteSignature', 'KMS_SIGNATURE_REFUSED'],
  ['KMSInternalException', 'KMS_UNAVAILABLE'],
  ['DependencyTimeoutException', 'KMS_UNAVAILABLE'],
  ['KeyUnavailableException', 'KMS_UNAVAILABLE'],
  ['ValidationException', 'KMS_REQUEST_INVALID'],
  ['InvalidArnException', 'KMS_REQUEST_INVALID'],
  ['UnsupportedOperationException', 'KMS_REQUEST_INVALID'],
]);

interface SdkError extends Error {
  readonly $fault?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** KMS may be anybody who holds a certificate of the measured CA, and its words end on screens. */
const MAX_NAME_LENGTH = 64;
const MAX_MESSAGE_LENGTH = 512;

/** Name and message of an error, and nothing else of it. */
class ReducedError extends Error {
  constructor(name: string, message: string) {
    super(quoteStranger(message, MAX_MESSAGE_LENGTH));
    this.name = quoteStranger(name, MAX_NAME_LENGTH);
  }
}

/** What may go on of an error that may hold a stranger's words; our own errors go on as they are. */
export function reduceError(error: unknown): Error {
  if (error instanceof CodedError) return error;
  return error instanceof Error
    ? new ReducedError(error.name, error.message)
    : new ReducedError('Error', String(error));
}

function codeOfStatus(status: number | undefined): KmsErrorCode | undefined {
  if (status === undefined) return undefined;
  if (status === 429) return 'KMS_THROTTLED';
  return status >= 500 ? 'KMS_UNAVAILABLE' : undefined;
}

/** KMS said no, in its own words. */
function serviceError(error: SdkError): KmsError {
  const code = SERVICE_ERRORS.get(error.name) ?? codeOfStatus(error.$metadata?.httpStatusCode) ?? 'KMS_SERVICE_ERROR';
  return new KmsError(code, 'KMS refused the request', {
    found: quoteStranger(error.name, MAX_NAME_LENGTH),
    cause: new ReducedError(error.name, error.message),
  });
}

/** Something answered in HTTP, but not in the language of KMS. The parser's message would quote from the answer. */
function unreadableAnswer(error: SdkError, status: number | undefined): KmsError {
  return new KmsError(codeOfStatus(status) ?? 'KMS_RESPONSE_INVALID', 'the answer of KMS cannot be read', {
    found: `HTTP status ${status ?? 'unknown'}`,
    cause: new ReducedError(error.name, 'the answer is not the JSON of a KMS answer'),
  });
}

/**
 * @param isUntrusted tells whether an error is the refusal of the server's certificate
 * @returns a CodedError of ours unchanged, all else as a KmsError
 */
export function toKmsFailure(error: unknown, isUntrusted: (error: unknown) => boolean): CodedError {
  if (error instanceof CodedError) return error;
  if (!(error instanceof Error)) return new KmsError('KMS_UNAVAILABLE', 'KMS cannot be reached', { cause: error });
  if (isUntrusted(error)) {
    return new KmsError('KMS_TLS_UNTRUSTED', 'the certificate at the KMS endpoint does not verify', {
      cause: new ReducedError(error.name, error.message),
    });
  }
  const sdkError: SdkError = error;
  if (sdkError.$fault !== undefined) return serviceError(sdkError);
  const status = sdkError.$metadata?.httpStatusCode;
  if (status !== undefined) return unreadableAnswer(sdkError, status);
  return new KmsError('KMS_UNAVAILABLE', 'KMS cannot be reached', {
    cause: new ReducedError(error.name, error.message),
  });
}
