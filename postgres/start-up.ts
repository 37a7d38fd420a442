/**
 * The first packet of a PostgreSQL session, where TLS must be asked for.
 *
 * Only two packets pass: SSLRequest, and a CancelRequest of exactly 16 bytes (it can carry no data). GSSENCRequest is
 * answered `N` once, as a server without Kerberos does, so that libpq goes on to SSLRequest. Bytes that a peer sends before the
 * answer that it has to wait for are refused: whoever reads them after the TLS handshake takes them for authenticated
 * (CVE-2021-23214 on the server's side, CVE-2021-23222 on the client's).
 * Source: PostgreSQL 18, "Message Formats" (SSLRequest, GSSENCRequest, CancelRequest, ErrorResponse).
 */

const SSL_REQUEST_CODE = 80877103;
const CANCEL_REQUEST = 80877102;
const GSS_REQUEST = 80877104;
const HEADER_BYTES = 8;

/** For those who ask a server themselves: Int32 length 8, Int32 code. */
export const SSL_REQUEST: Buffer = Buffer.from([0, 0, 0, HEADER_BYTES, 0x04, 0xd2, 0x16, 0x2f]);
const CANCEL_BYTES = 16;
const PROTOCOL_3 = 3;
const TLS_HANDSHAKE_RECORD = 0x16;

/** One byte more than the longest packet that passes, so that stuffed bytes are seen. */
export const MAX_STARTUP_BYTES = CANCEL_BYTES + 1;

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
  if ((code === SSL_REQUEST_CODE || code === GSS_REQUEST) && length === HEADER_BYTES) {
    if (bytes.length > HEADER_BYTES) return refused('bytes-behind-request');
    return { kind: code === SSL_REQUEST_CODE ? 'ssl-request' : 'gss-request' };
  }
  if (code === CANCEL_REQUEST && length === CANCEL_BYTES) {
    if (bytes.length > CANCEL_BYTES) return refused('bytes-behind-request');
    return bytes.length === CANCEL_BYTES ? { kind: 'cancel-request' } : MORE;
  }
  return classifyOther(length, code);
}

/** @param bytes what the upstream sent after the SSLRequest; at least one byte, two are enough. */
export function checkTlsAnswer(bytes: Buffer): PostgresRefusal | undefined {
  if (bytes[0] !== 0x53 /* S */) return 'upstream-refuses-tls';
  return bytes.length > 1 ? 'bytes-behind-answer' : undefined;
}

/** Whether the first byte behind the `S` begins a TLS handshake. */
export function isTlsHandshake(firstByte: number): boolean {
  return firstByte === TLS_HANDSHAKE_RECORD;
}

interface Complaint {
  readonly sqlState: string;
  readonly message: string;
}

const PROTOCOL_VIOLATION = '08P01';
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
  'time-out': { sqlState: PROTOCOL_VIOLATION, message: 'the request for TLS did not come in time' },
};

/** An ErrorResponse of severity FATAL that tells the client why it was refused. */
export function encodeErrorResponse(reason: PostgresRefusal): Buffer {
  const { sqlState, message } = COMPLAINTS[reason];
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${sqlState}\0M${message}\0\0`, 'utf8');
  const header = Buffer.alloc(5);
  header.write('E', 0);
  header.writeUInt32BE(fields.length + 4, 1);
  return Buffer.concat([header, fields]);
}
