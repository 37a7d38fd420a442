/**
 * Requests that two servers could read in two ways, beside those that Node's parser refuses already (both lengths, folded lines, odd line
 * ends). Each request has a connection of its own to the program, so that what one leaves behind is never taken for another's; this is
 * for what a program would believe of one request.
 * Specification: RFC 9112 sections 3.2 (request target, Host) and 6.1 (Transfer-Encoding); RFC 9110 section 7.8 (Upgrade).
 */
import type { IncomingMessage } from 'node:http';
import { valuesOf } from '../../../encoding/http-fields.ts';
import { hostOf } from './request-headers.ts';

/** @returns why it is refused (400), or undefined */
export function unfitness(request: IncomingMessage): string | undefined {
  const { url = '', method, httpVersion, rawHeaders } = request;
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 'unknown version of HTTP';
  if (!url.startsWith('/') && !(url === '*' && method === 'OPTIONS')) return 'the target must be a path';
  if (hostOf(request) === undefined) return 'there must be one Host, of the characters of a host';
  const codings = valuesOf(rawHeaders, 'transfer-encoding');
  const lengths = valuesOf(rawHeaders, 'content-length');
  if (codings.length + lengths.length > 1) return 'the length must be said once';
  if (codings.length > 0 && httpVersion === '1.0') return 'HTTP/1.0 has no transfer codings';
  if (codings.some((coding) => coding.toLowerCase() !== 'chunked')) return 'the only transfer coding is chunked';
  if (lengths.some((length) => !/^\d{1,15}$/.test(length))) return 'the length must be a number';
  if (isWebSocket(request) && hasBody(request)) return 'nothing may stand between the request and the other protocol';
  return undefined;
}

/** Whether it asks for the one protocol that a connection may go over to. */
export function isWebSocket({ rawHeaders, method, httpVersion }: IncomingMessage): boolean {
  const [protocol, ...others] = valuesOf(rawHeaders, 'upgrade');
  return others.length === 0 && protocol?.toLowerCase() === 'websocket' && method === 'GET' && httpVersion === '1.1';
}

export function hasBody({ rawHeaders }: IncomingMessage): boolean {
  return (
    valuesOf(rawHeaders, 'transfer-encoding').length > 0 ||
    valuesOf(rawHeaders, 'content-length').some((length) => length !== '0')
  );
}
