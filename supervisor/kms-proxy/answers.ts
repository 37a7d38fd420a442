/**
 * What a program gets back: the answer of KMS, or an error of our own in the same form, so that SDKs raise what they raise for KMS. What
 * may succeed later has a status or type that SDKs try again by themselves.
 * Specification: AWS JSON 1.1 (Smithy), "Operation error serialization"; KMS API reference, "Common errors" and DependencyTimeoutException.
 */
import { KmsError } from '../../kms/errors.ts';
import { CodedError } from '../../runtime/errors.ts';
import type { KmsProxyErrorCode } from './errors.ts';
import { KMS_PROXY_ERRORS, KmsProxyError } from './errors.ts';

export interface Answer {
  readonly status: number;
  /** JSON. Zeroed by whoever sends it, once it is sent or cannot be. */
  readonly body: Buffer;
  /** Of KMS, where it has answered. */
  readonly requestId?: string | undefined;
  /** Of an error of our own. */
  readonly errorType?: string;
}

interface ErrorShape {
  readonly status: number;
  readonly type: string;
}

/** KMS says 400 to nearly everything. */
const SHAPES: Readonly<Record<KmsProxyErrorCode, ErrorShape>> = {
  KMS_PROXY_LISTEN: { status: 500, type: 'KMSInternalException' },
  KMS_PROXY_HTTP: { status: 400, type: 'ValidationException' },
  KMS_PROXY_PROTOCOL: { status: 415, type: 'UnsupportedOperationException' },
  KMS_PROXY_SIGNATURE: { status: 400, type: 'IncompleteSignatureException' },
  KMS_PROXY_REGION: { status: 400, type: 'AccessDeniedException' },
  KMS_PROXY_ACTION: { status: 400, type: 'AccessDeniedException' },
  KMS_PROXY_KEY: { status: 400, type: 'AccessDeniedException' },
  KMS_PROXY_ALIAS: { status: 400, type: 'AccessDeniedException' },
  KMS_PROXY_KEY_UNNAMED: { status: 400, type: 'ValidationException' },
  KMS_PROXY_REQUEST: { status: 400, type: 'ValidationException' },
  KMS_PROXY_RECIPIENT: { status: 400, type: 'ValidationException' },
  KMS_PROXY_TOO_LARGE: { status: 413, type: 'RequestEntityTooLargeException' },
  KMS_PROXY_LATE: { status: 408, type: 'RequestTimeoutException' },
  KMS_PROXY_BUSY: { status: 400, type: 'ThrottlingException' },
  KMS_PROXY_CREDENTIALS_REFUSED: { status: 503, type: 'DependencyTimeoutException' },
};

/** Modelled errors of KMS: SDKs have a class for each, and try both again. */
const OUTAGE: ErrorShape = { status: 503, type: 'DependencyTimeoutException' };
const FAILURE: ErrorShape = { status: 500, type: 'KMSInternalException' };

function shapeOf(error: unknown): ErrorShape {
  if (error instanceof KmsProxyError) return SHAPES[error.code];
  return error instanceof KmsError && (error.retryable || error.code === 'KMS_CLOSED') ? OUTAGE : FAILURE;
}

/** The program is not told what broke inside; the log is. */
function messageOf(error: unknown): string {
  if (!(error instanceof CodedError)) return 'the KMS proxy of the enclave failed; its log says why';
  const { code, message, found, allowed } = error;
  const details = [found && `found: ${found}`, allowed && `allowed: ${allowed}`].filter((each) => each !== undefined);
  const advice = error instanceof KmsProxyError ? (error.action ?? KMS_PROXY_ERRORS[error.code].action) : error.action;
  return [`${message}${details.map((each) => `; ${each}`).join('')}.`, advice, `(KMS proxy of the enclave, ${code})`]
    .filter((each) => each !== undefined)
    .join(' ');
}

export function errorAnswer(error: unknown): Answer {
  const { status, type } = shapeOf(error);
  const body = Buffer.from(JSON.stringify({ __type: type, message: messageOf(error) }));
  return { status, body, errorType: type };
}
