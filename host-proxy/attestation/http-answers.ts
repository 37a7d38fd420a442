/** What HTTP askers are told (attestation requests 3): the document and the statement, or why not, as JSON. */
import { CodedError } from '../../runtime/errors.ts';
import { MAX_NONCE_BYTES, MIN_NONCE_BYTES, NONCE_HEX } from '../../wire/requests/bounds.ts';
import type { ParentAnswer, ParentRequest } from '../../wire/requests/parent-messages.ts';
import { HostProxyError } from '../errors.ts';

const QUESTIONS = { '/v1/attestation': 'attest', '/v1/certificate-request': 'certificate-request' } as const;

/** What strangers may ask; both need a nonce. */
export type Question = Extract<ParentRequest, { readonly nonce: string }>;

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
  TLS_CERTIFICATE_NOT_WANTED: 404,
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

/** @throws HostProxyError HOST_ATTESTATION_PATH, HOST_ATTESTATION_METHOD, HOST_ATTESTATION_REQUEST */
export function questionOf({ method, target, hasBody }: AskedFor): Question {
  const url = URL.parse(target, 'http://host-proxy');
  const path = url?.pathname ?? '';
  if (!isQuestion(path)) {
    throw new HostProxyError('HOST_ATTESTATION_PATH', `there is only ${Object.keys(QUESTIONS).join(' and ')}`);
  }
  if (method !== 'GET') throw new HostProxyError('HOST_ATTESTATION_METHOD', 'only GET is answered');
  const [nonce = '', ...more] = url?.searchParams.getAll('nonce') ?? [];
  if (hasBody || more.length > 0 || !NONCE_HEX.test(nonce)) {
    throw new HostProxyError('HOST_ATTESTATION_REQUEST', 'the request needs one nonce, and no body', {
      allowed: `?nonce= and ${2 * MIN_NONCE_BYTES} to ${2 * MAX_NONCE_BYTES} hexadecimal digits, whole bytes`,
    });
  }
  return { type: QUESTIONS[path], nonce: Buffer.from(nonce, 'hex').toString('base64') };
}

const isQuestion = (path: string): path is keyof typeof QUESTIONS => Object.hasOwn(QUESTIONS, path);

export function toHttp(answer: ParentAnswer): HttpAnswer {
  if (answer.type === 'refusal') return refusal(answer.code, answer.message);
  const { type: _, ...body } = answer;
  return { status: 200, headers: {}, body: { version: 1, ...body } };
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
