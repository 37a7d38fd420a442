/**
 * The packets before a PostgreSQL session, which have no type byte: Int32 length, Int32 code, and what the code asks for.
 *
 * Where TLS must be asked for, only two pass: SSLRequest, and CancelRequest with its process and key. GSSENCRequest is
 * answered `N` once, as a server without Kerberos does, so that libpq goes on to SSLRequest. Bytes that a peer sends before the
 * answer that it has to wait for are refused: whoever reads them after the TLS handshake takes them for authenticated
 * (CVE-2021-23214 on the server's side, CVE-2021-23222 on the client's).
 * Source: PostgreSQL 18, "Message Formats" (SSLRequest, GSSENCRequest, CancelRequest, ErrorResponse).
 */
import { CANCEL_REQUEST_CODE, MAX_CANCEL_BYTES, MIN_CANCEL_BYTES } from './cancel-request.ts';
import { encodeError } from './error-response.ts';
import { SessionError } from './session-error.ts';
import { MAX_STARTUP_MESSAGE_BYTES } from './startup-message.ts';

const SSL_REQUEST_CODE = 80877103;
const GSS_REQUEST_CODE = 80877104;
/** SSLRequest and GSSENCRequest, which are for before TLS. */
export const ENCRYPTION_REQUEST_CODES: readonly number[] = [SSL_REQUEST_CODE, GSS_REQUEST_CODE];
const HEADER_BYTES = 8;

/** For those who ask a server themselves. */
export const SSL_REQUEST: Buffer = Buffer.from([0, 0, 0, HEADER_BYTES, 0x04, 0xd2, 0x16, 0x2f]);
const PROTOCOL_3 = 3;
const TLS_HANDSHAKE_RECORD = 0x16;

/** One byte more than the longest packet that passes, so that stuffed bytes are seen. */
export const MAX_STARTUP_BYTES: number = MAX_CANCEL_BYTES + 1;

/** What a server answers to SSLRequest and GSSENCRequest: one byte. */
export const TLS_ANSWERS = { accepted: 0x53 /* S */, refused: 0x4e /* N */ } as const;

export type PostgresRefusal =
  | 'plaintext-startup'
  | 'direct-tls'
  | 'not-postgres'
  | 'bytes-behind-request'
  | 'second-gss-request'
  | 'upstream-refuses-tls'
  | 'bytes-behind-answer'
  | 'upstream-speaks-first'
  | 'no-tls-after-answer'
  | 'bytes-behind-cancel'
  | 'too-many-connections'
  | 'no-proxy-header'
  | 'unexpected-proxy-header'
  | 'time-out';

export type StartupVerdict =
  | { readonly kind: 'more' }
  | { readonly kind: 'ssl-request' }
  | { readonly kind: 'cancel-request' }
  | { readonly kind: 'gss-request' }
  | { readonly kind: 'refused'; readonly reason: PostgresRefusal };

const MORE: StartupVerdict = { kind: 'more' };

function refused(reason: PostgresRefusal): StartupVerdict {
  return { kind: 'refused', reason };
}

function classifyOther(length: number, code: number): StartupVerdict {
  const isStartup = code >>> 16 === PROTOCOL_3 && length > HEADER_BYTES;
  return refused(isStartup ? 'plaintext-startup' : 'not-postgres');
}

/** @param bytes everything that the downstream has sent so far, at most MAX_STARTUP_BYTES. */
export function classifyStartup(bytes: Buffer): StartupVerdict {
  if (bytes[0] === TLS_HANDSHAKE_RECORD) return refused('direct-tls');
  if (bytes.length < HEADER_BYTES) return MORE;
  const length = bytes.readUInt32BE(0);
  const code = bytes.readUInt32BE(4);
  if ((code === SSL_REQUEST_CODE || code === GSS_REQUEST_CODE) && length === HEADER_BYTES) {
    if (bytes.length > HEADER_BYTES) return refused('bytes-behind-request');
    return { kind: code === SSL_REQUEST_CODE ? 'ssl-request' : 'gss-request' };
  }
  if (code === CANCEL_REQUEST_CODE && length >= MIN_CANCEL_BYTES && length <= MAX_CANCEL_BYTES) {
    if (bytes.length > length) return refused('bytes-behind-request');
    return bytes.length === length ? { kind: 'cancel-request' } : MORE;
  }
  return classifyOther(length, code);
}

/** How much of a stream classifyOpening looks at: all that a client says before it waits for an answer. */
export const OPENING_BYTES = HEADER_BYTES;

/** Whether a packet before the session, of whatever kind, can be this long. @param length with its own four bytes */
export function isStartupLength(length: number, code: number): boolean {
  if (ENCRYPTION_REQUEST_CODES.includes(code)) return length === HEADER_BYTES;
  if (code === CANCEL_REQUEST_CODE) return length >= MIN_CANCEL_BYTES && length <= MAX_CANCEL_BYTES;
  return code >>> 16 === PROTOCOL_3 && length > HEADER_BYTES && length <= MAX_STARTUP_MESSAGE_BYTES;
}

/** RFC 8446 section 5.1 and 4: handshake record, version 3.x, at most 2^14 bytes, ClientHello. */
function classifyTlsOpening(bytes: Buffer): OpeningVerdict {
  const [, major = 3, minor = 1, lengthHigh = 0, , type = 1] = bytes;
  if (major !== 3 || minor > 4 || lengthHigh > 0x40 || type !== 1) return 'not-postgres';
  return bytes.length < OPENING_BYTES ? 'more' : 'plausible';
}

function classifyPacketOpening(bytes: Buffer): OpeningVerdict {
  if (bytes.length < 4) return bytes.subarray(0, 2).every((byte) => byte === 0) ? 'more' : 'not-postgres';
  const length = bytes.readUInt32BE(0);
  if (length < HEADER_BYTES || length > MAX_STARTUP_MESSAGE_BYTES) return 'not-postgres';
  if (bytes.length < OPENING_BYTES) return 'more';
  return isStartupLength(length, bytes.readUInt32BE(4)) ? 'plausible' : 'not-postgres';
}

export type OpeningVerdict = 'more' | 'plausible' | 'not-postgres';

/**
 * Whether a stream can be a client's of PostgreSQL, from its first bytes and as early as that can be told: a start-up packet of
 * whatever kind, or TLS at once (sslnegotiation=direct). Not whether it will be served.
 * @param bytes the first of the stream, at most OPENING_BYTES.
 */
export function classifyOpening(bytes: Buffer): OpeningVerdict {
  if (bytes.length === 0) return 'more';
  return bytes[0] === TLS_HANDSHAKE_RECORD ? classifyTlsOpening(bytes) : classifyPacketOpening(bytes);
}

/** @param bytes what the upstream sent after the SSLRequest; at least one byte, two are enough. */
export function checkTlsAnswer(bytes: Buffer): PostgresRefusal | undefined {
  if (bytes[0] !== TLS_ANSWERS.accepted) return 'upstream-refuses-tls';
  return bytes.length > 1 ? 'bytes-behind-answer' : undefined;
}

/** Whether a TLS handshake begins with this byte: at once, or behind the `S`. */
export function isTlsHandshake(firstByte: number): boolean {
  return firstByte === TLS_HANDSHAKE_RECORD;
}

interface Complaint {
  readonly sqlState: string;
  readonly message: string;
}

const PROTOCOL_VIOLATION = '08P01';
const TOO_MANY_CONNECTIONS = '53300';
const NOT_AUTHORIZED = '28000';

const COMPLAINTS: Readonly<Record<PostgresRefusal, Complaint>> = {
  'plaintext-startup': { sqlState: NOT_AUTHORIZED, message: 'TLS is required: connect with sslmode=verify-full' },
  'direct-tls': {
    sqlState: PROTOCOL_VIOLATION,
    message: 'TLS must be requested first: connect with sslnegotiation=postgres',
  },
  'not-postgres': { sqlState: PROTOCOL_VIOLATION, message: 'TLS is required: the first packet is not an SSLRequest' },
  'bytes-behind-request': {
    sqlState: PROTOCOL_VIOLATION,
    message: 'unencrypted bytes were received behind the request for TLS',
  },
  'second-gss-request': { sqlState: PROTOCOL_VIOLATION, message: 'GSSAPI encryption is not offered; TLS is required' },
  'upstream-refuses-tls': {
    sqlState: NOT_AUTHORIZED,
    message: 'TLS is required, and the server behind the relay does not offer it',
  },
  'bytes-behind-answer': {
    sqlState: PROTOCOL_VIOLATION,
    message: 'the server sent unencrypted bytes behind its answer to the request for TLS',
  },
  'upstream-speaks-first': { sqlState: PROTOCOL_VIOLATION, message: 'the server sent bytes before the TLS handshake' },
  'no-tls-after-answer': { sqlState: NOT_AUTHORIZED, message: 'TLS is required: no handshake followed the request' },
  'bytes-behind-cancel': { sqlState: PROTOCOL_VIOLATION, message: 'bytes were received behind a CancelRequest' },
  'too-many-connections': { sqlState: TOO_MANY_CONNECTIONS, message: 'too many connections: try again later' },
  'no-proxy-header': {
    sqlState: PROTOCOL_VIOLATION,
    message: 'this connection must begin with a header of the PROXY protocol, version 2',
  },
  'unexpected-proxy-header': {
    sqlState: PROTOCOL_VIOLATION,
    message: 'a header of the PROXY protocol is not taken from this address',
  },
  'time-out': { sqlState: PROTOCOL_VIOLATION, message: 'the request for TLS did not come in time' },
};

/** Why a client was refused, for those who tell it themselves. */
export function startupError(reason: PostgresRefusal): SessionError {
  const { sqlState, message } = COMPLAINTS[reason];
  return new SessionError(sqlState, message);
}

/** An ErrorResponse of severity FATAL that tells the client why it was refused. */
export function encodeErrorResponse(reason: PostgresRefusal): Buffer {
  const { sqlState, message } = COMPLAINTS[reason];
  return encodeError('FATAL', sqlState, message);
}
