/** What a program is answered when its request goes nowhere: status, code and what to do, as JSON; and for tools Proxy-Status (RFC 9209). */
import { STATUS_CODES } from 'node:http';
import { answerHead } from '../../encoding/http-fields.ts';
import type { CodedError, ErrorCatalogue } from '../../runtime/errors.ts';
import { EGRESS_ERRORS, type EgressErrorCode } from '../../wire/egress/errors.ts';
import { EGRESS_PROXY_ERRORS, EgressProxyError } from './errors.ts';

type AnsweredCode = Exclude<EgressErrorCode, 'EGRESS_RULE'> | Exclude<keyof typeof EGRESS_PROXY_ERRORS, 'EGRESS_BIND'>;

/** Status, and the type of error of RFC 9209, section 2.3. */
const ANSWERS: Readonly<Record<AnsweredCode, readonly [status: number, type: string]>> = {
  EGRESS_TARGET: [400, 'http_request_error'],
  EGRESS_UNLISTED: [403, 'http_request_denied'],
  EGRESS_DENIED: [403, 'http_request_denied'],
  EGRESS_ADDRESS: [403, 'destination_ip_prohibited'],
  EGRESS_HOST_UNLISTED: [403, 'http_request_denied'],
  EGRESS_HOST_DENIED: [403, 'http_request_denied'],
  EGRESS_UNRESOLVED: [502, 'dns_error'],
  EGRESS_UNREACHABLE: [502, 'connection_refused'],
  EGRESS_TIMEOUT: [504, 'connection_timeout'],
  EGRESS_PARENT: [502, 'destination_unavailable'],
  EGRESS_LIMIT: [503, 'connection_limit_reached'],
  EGRESS_REQUEST: [400, 'http_request_error'],
  EGRESS_HTTPS_URL: [400, 'http_request_error'],
  EGRESS_UPGRADE: [501, 'http_upgrade_failed'],
  EGRESS_HEADERS: [431, 'http_request_error'],
  EGRESS_CHUNKS: [413, 'http_request_error'],
  EGRESS_SLOW_REQUEST: [408, 'http_request_error'],
  EGRESS_ANSWER: [502, 'http_protocol_error'],
};
const CATALOGUE: ErrorCatalogue = { ...EGRESS_ERRORS, ...EGRESS_PROXY_ERRORS };

export interface ProxyAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** As metrics have it: `EGRESS_UNLISTED` is `unlisted`. */
export function outcomeOf(code: string): string {
  return code.replace(/^EGRESS_/, '').toLowerCase();
}

export function answerTo(error: CodedError): ProxyAnswer {
  const [status, type] = ANSWERS[error.code as AnsweredCode] ?? [502, 'proxy_internal_error'];
  const { code, message, found, allowed } = error;
  const action = error.action ?? CATALOGUE[code]?.action;
  const body = `${JSON.stringify({ error: { code, message, found, allowed, action } })}\n`;
  return {
    status,
    headers: {
      'Content-Type': 'application/json',
      'Content-Length': String(Buffer.byteLength(body)),
      'Cache-Control': 'no-store',
      'Proxy-Status': `acra-enclave; error=${type}; details="${code}"`,
    },
    body,
  };
}

/** For a socket that Node's server has given up. */
export function rawAnswer({ status, headers, body }: ProxyAnswer): string {
  const fields = Object.entries({ ...headers, Connection: 'close' });
  return `${answerHead(status, STATUS_CODES[status] ?? '', fields)}${body}`;
}

const PARSER_CODES: Readonly<Record<string, readonly [keyof typeof EGRESS_PROXY_ERRORS, string]>> = {
  HPE_HEADER_OVERFLOW: ['EGRESS_HEADERS', 'the headers are too long'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['EGRESS_CHUNKS', 'the extensions of chunks are too long'],
  ERR_HTTP_REQUEST_TIMEOUT: ['EGRESS_SLOW_REQUEST', 'the headers did not come in time'],
};

/** What Node's parser says; its text is of our making, for a parser's could hold what was sent. */
export function parserError(code: string | undefined): EgressProxyError {
  const [own, message] = PARSER_CODES[code ?? ''] ?? ['EGRESS_REQUEST', 'this is no HTTP request'];
  return new EgressProxyError(own, message);
}
