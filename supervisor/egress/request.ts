/** What an absolute-form request asks for (RFC 9112 section 3.2.2), read by our own few rules: WHATWG's URL would mend what must be refused. */
import type { IncomingMessage } from 'node:http';
import type { EgressTarget } from '../../wire/egress/target.ts';
import { parseAuthority } from '../../wire/egress/target.ts';
import { formatAuthority } from '../../wire/endpoint.ts';
import { EgressProxyError } from './errors.ts';
import type { Framing } from './headers.ts';

const HTTP_PORT = 80;

export interface AbsoluteRequest {
  readonly target: EgressTarget;
  /** As the Host field has it. */
  readonly host: string;
  /** In origin form. */
  readonly path: string;
  readonly framing: Framing;
}

/** @throws EgressProxyError EGRESS_REQUEST, EGRESS_HTTPS_URL, EGRESS_UPGRADE; EgressError EGRESS_TARGET */
export function readAbsoluteRequest({ method, url = '', headers }: IncomingMessage): AbsoluteRequest {
  const [, scheme, authority = '', rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^#]*)$/i.exec(url) ?? [];
  switch (scheme?.toLowerCase()) {
    case 'http':
      break;
    case 'https':
      throw new EgressProxyError('EGRESS_HTTPS_URL', 'an https:// URL is asked for by CONNECT');
    default:
      throw new EgressProxyError('EGRESS_REQUEST', 'this is a proxy: it takes CONNECT and absolute http:// URLs');
  }
  if (headers.upgrade?.toLowerCase().includes('websocket'))
    throw new EgressProxyError('EGRESS_UPGRADE', 'a WebSocket is asked for by CONNECT');
  const target = parseAuthority(authority, HTTP_PORT);
  const host = target.port === HTTP_PORT ? formatAuthority(target).replace(/:80$/, '') : formatAuthority(target);
  const isServerWide = method === 'OPTIONS' && rest === '';
  const path = isServerWide ? '*' : rest.startsWith('/') ? rest : `/${rest}`;
  return { target, host, path, framing: framingOf(headers) };
}

/** @throws EgressProxyError EGRESS_REQUEST */
function framingOf(headers: IncomingMessage['headers']): Framing {
  const coding = headers['transfer-encoding'];
  const bytes = headers['content-length'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    throw new EgressProxyError('EGRESS_REQUEST', 'of transfer codings only chunked is passed on', {
      allowed: 'chunked',
    });
  if (coding !== undefined) return { kind: 'chunked' };
  return bytes === undefined ? { kind: 'none' } : { kind: 'length', bytes };
}

/** @throws EgressProxyError EGRESS_REQUEST; EgressError EGRESS_TARGET */
export function readConnect({ url = '', headers }: IncomingMessage): EgressTarget {
  if (headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0')
    throw new EgressProxyError('EGRESS_REQUEST', 'CONNECT has no body');
  return parseAuthority(url);
}
