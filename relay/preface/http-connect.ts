/**
 * The head of an HTTP CONNECT request, and the answers to it. Only the request line decides; the fields must be well
 * formed (CRLF line ends, no folding) and go nowhere. What follows the head belongs to the tunnel.
 * Source: RFC 9110 section 9.3.6, RFC 9112 sections 2, 3.2.3 and 5.
 */
import type { Authority } from '../route.ts';

export const MAX_CONNECT_HEAD_BYTES = 8192;

export type HttpRefusal =
  | 'malformed'
  | 'method'
  | 'not-allowed'
  | 'too-long'
  | 'time-out'
  | 'unreachable'
  | 'upstream-time-out';

export type ConnectRequest =
  | { readonly kind: 'more' }
  /** `length`: bytes of the head; what follows belongs to the tunnel. */
  | { readonly kind: 'authority'; readonly authority: Authority; readonly length: number }
  | { readonly kind: 'refused'; readonly reason: HttpRefusal };

const HEAD_END = Buffer.from('\r\n\r\n', 'latin1');
const REQUEST_LINE = /^([A-Z]+) (\S+) HTTP\/1\.[01]$/;
const FIELD_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*$/;
const AUTHORITY = /^(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+):(\d{1,5})$/;

function refused(reason: HttpRefusal): ConnectRequest {
  return { kind: 'refused', reason };
}

/** `host:port` as an authority with the host in lower case, or undefined. */
function parseAuthority(text: string): Authority | undefined {
  const match = AUTHORITY.exec(text);
  if (!match?.[1] || !match[2]) return undefined;
  const port = Number(match[2]);
  if (port < 1 || port > 65535) return undefined;
  return { host: match[1].replace(/^\[|\]$/g, '').toLowerCase(), port };
}

function parseHead(head: string, length: number): ConnectRequest {
  const [requestLine = '', ...fields] = head.split('\r\n');
  const match = REQUEST_LINE.exec(requestLine);
  if (!match?.[1] || !match[2] || !fields.every((line) => FIELD_LINE.test(line))) return refused('malformed');
  if (match[1] !== 'CONNECT') return refused('method');
  const authority = parseAuthority(match[2]);
  if (authority === undefined) return refused('malformed');
  return { kind: 'authority', authority, length };
}

/** @param bytes from the start of the stream, at most MAX_CONNECT_HEAD_BYTES. */
export function parseConnectRequest(bytes: Buffer): ConnectRequest {
  const end = bytes.indexOf(HEAD_END);
  if (end >= 0) return parseHead(bytes.toString('latin1', 0, end), end + HEAD_END.length);
  return bytes.length < MAX_CONNECT_HEAD_BYTES ? { kind: 'more' } : refused('too-long');
}

export function isAllowed(authority: Authority, allow: readonly Authority[]): boolean {
  return allow.some(({ host, port }) => port === authority.port && host.toLowerCase() === authority.host);
}

const STATUS: Readonly<Record<HttpRefusal, string>> = {
  malformed: '400 Bad Request',
  method: '405 Method Not Allowed',
  'not-allowed': '403 Forbidden',
  'too-long': '431 Request Header Fields Too Large',
  'time-out': '408 Request Timeout',
  unreachable: '502 Bad Gateway',
  'upstream-time-out': '504 Gateway Timeout',
};

export function encodeRefusal(reason: HttpRefusal): Buffer {
  const allow = reason === 'method' ? 'Allow: CONNECT\r\n' : '';
  return Buffer.from(`HTTP/1.1 ${STATUS[reason]}\r\n${allow}Content-Length: 0\r\nConnection: close\r\n\r\n`, 'latin1');
}

export const TUNNEL_OPEN = Buffer.from('HTTP/1.1 200 Connection Established\r\n\r\n', 'latin1');
