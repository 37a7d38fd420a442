/** What HTTP askers are told (attestation requests 3): the document and the statement, or why not, as JSON. */
import { CodedError } from '../../runtime/errors.ts';
import { type EnclaveAnswer, MAX_NONCE_BYTES, MIN_NONCE_BYTES } from '../../wire/requests/messages.ts';
import { HostProxyError } from '../errors.ts';

const ATTESTATION_PATH = '/v1/attestation';

export const STATUSES = [200, 400, 404, 405, 429, 503] as const;
type Status = (typeof STATUSES)[number];

export interface HttpAnswer {
  readonly status: Status;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
}

const STATUS_BY_CODE: Readonly<Record<string, Status>> = {
  HOST_ATTESTATION_REQUEST: 400,
  HOST_ATTESTATION_PATH: 404,
  HOST_ATTESTATION_METHOD: 405,
  HOST_ATTESTATION_RATE: 429,
  REQUEST_RATE_LIMITED: 429,
  REQUEST_QUEUE_FULL: 429,
};
const HEADERS: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  405: { allow: 'GET' },
  429: { 'retry-after': '1' },
};

export interface AskedFor {
  readonly method: string;
  /** Path and query, as they came. */
  readonly target: string;
  readonly hasBody: boolean;
}

const DIGITS = new RegExp(`^(?:[0-9a-fA-F]{2}){${MIN_NONCE_BYTES},${MAX_NONCE_BYTES}}$`);

/** @throws HostProxyError HOST_ATTESTATION_PATH, HOST_ATTESTATION_METHOD, HOST_ATTESTATION_REQUEST */
export function nonceOf({ method, target, hasBody }: AskedFor): Buffer {
  const url = URL.parse(target, 'http://host-proxy');
  if (url?.pathname !== ATTESTATION_PATH) {
    throw new HostProxyError('HOST_ATTESTATION_PATH', `there is only ${ATTESTATION_PATH}`);
  }
  if (method !== 'GET') throw new HostProxyError('HOST_ATTESTATION_METHOD', 'only GET is answered');
  const [nonce = '', ...more] = url.searchParams.getAll('nonce');
  if (hasBody || more.length > 0 || !DIGITS.test(nonce)) {
    throw new HostProxyError('HOST_ATTESTATION_REQUEST', 'the request needs one nonce, and no body', {
      allowed: `?nonce= and ${2 * MIN_NONCE_BYTES} to ${2 * MAX_NONCE_BYTES} hexadecimal digits, whole bytes`,
    });
  }
  return Buffer.from(nonce, 'hex');
}

export function toHttp(answer: EnclaveAnswer): HttpAnswer {
  if (answer.type === 'refusal') return refusal(answer.code, answer.message);
  const { document, statement } = answer;
  return { status: 200, headers: {}, body: { version: 1, document, statement } };
}

/** Nothing that has no code is told to strangers. */
export function failureToHttp(error: unknown): HttpAnswer {
  if (!(error instanceof CodedError)) return refusal('HOST_ATTESTATION_UNANSWERED', 'the enclave does not answer');
  const { code, message, allowed } = error;
  return refusal(code, allowed === undefined ? message : `${message}; allowed: ${allowed}`);
}

function refusal(code: string, message: string): HttpAnswer {
  const status = (Object.hasOwn(STATUS_BY_CODE, code) ? STATUS_BY_CODE[code] : undefined) ?? 503;
  return { status, headers: HEADERS[status] ?? {}, body: { error: { code, message } } };
}
