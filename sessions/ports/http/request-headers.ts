/**
 * The header fields that a program is given in the place of the client's: as the client wrote them, but without those that are for one
 * hop, and without all that says who asks and by which way, which stands here alone. Programs that make variables of fields (CGI, WSGI,
 * PHP) cannot tell `X-Forwarded-For` from `X_Forwarded.For`, so that these are one name here too.
 * Specification: RFC 9110 section 7.6.1 (Connection), RFC 7239 (Forwarded); RFC 3875 section 4.1.18.
 */
import type { IncomingMessage } from 'node:http';
import {
  type Field,
  fieldsOf,
  HOP_BY_HOP,
  namedByConnection,
  type RawFields,
  valuesOf,
} from '../../../encoding/http-fields.ts';
import type { PortClient } from '../client.ts';

/** `Proxy` is none, but becomes HTTP_PROXY in a program that makes variables of fields. */
const NOT_PASSED_ON = [...HOP_BY_HOP, 'proxy', 'proxy-connection'];
const OURS: ReadonlySet<string> = new Set(['forwarded', 'x-real-ip']);
const OUR_PREFIXES = ['x-forwarded-', 'x-client-certificate-'];
const HOST = /^[A-Za-z0-9._~!$&'()*+,;=:[\]%-]+$/;
const HTTPS_PORT = '443';

/** @returns what is for the other end, too */
export function withoutHops(raw: RawFields): Field[] {
  const dropped = new Set([...NOT_PASSED_ON, ...namedByConnection(raw)]);
  // What frames a message is nobody's to name.
  for (const kept of ['content-length', 'host']) dropped.delete(kept);
  return fieldsOf(raw).filter(([name]) => !dropped.has(name.toLowerCase()));
}

function isOurs(name: string): boolean {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '-');
  return OURS.has(plain) || OUR_PREFIXES.some((prefix) => plain.startsWith(prefix));
}

/** Undefined for a request that has not exactly one that can be told. */
export function hostOf({ rawHeaders }: IncomingMessage): string | undefined {
  const [host, ...others] = valuesOf(rawHeaders, 'host');
  return host !== undefined && others.length === 0 && HOST.test(host) ? host : undefined;
}

/** RFC 7239 section 6: an IPv6 address stands in brackets, and both in quotes. */
function forwarded({ source }: PortClient, host: string): string {
  const node = source === undefined ? 'unknown' : source.address.includes(':') ? `[${source.address}]` : source.address;
  return `for="${node}";host="${host}";proto=https`;
}

/** What is no printable ASCII, byte by byte as RFC 2253 section 2.4 escapes it. */
function asHeader(subject: string): string {
  const escaped = (byte: number) => `\\${byte.toString(16).padStart(2, '0').toUpperCase()}`;
  const bytes = [...Buffer.from(subject)];
  return bytes.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : escaped(byte))).join('');
}

function ours(client: PortClient, host: string): Field[] {
  const { source, certificate } = client;
  const port = /:(\d{1,5})$/.exec(host)?.[1] ?? HTTPS_PORT;
  return [
    ...(source === undefined ? [] : [['X-Forwarded-For', source.address] as const]),
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Host', host],
    ['X-Forwarded-Port', port],
    ['Forwarded', forwarded(client, host)],
    ...(certificate === undefined
      ? []
      : ([
          ['X-Client-Certificate-Subject', asHeader(certificate.subject)],
          ['X-Client-Certificate-Sha256', certificate.sha256],
        ] as const)),
  ];
}

/** @param request one that is fit (unfit.ts) */
export function requestHeaders(request: IncomingMessage, client: PortClient): Field[] {
  const host = hostOf(request) ?? '';
  const own = withoutHops(request.rawHeaders).filter(([name]) => !isOurs(name));
  const isChunked = request.headers['transfer-encoding'] !== undefined;
  return [...own, ...(isChunked ? [['Transfer-Encoding', 'chunked'] as const] : []), ...ours(client, host)];
}
