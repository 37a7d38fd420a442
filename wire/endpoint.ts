/**
 * The one address form of the product. Relay routes, the control connection and the health port are all written so.
 *
 *   tcp://host:port            port 0 to listen: any free one; IPv6 in brackets
 *   unix:///absolute/path
 *   vsock://cid:port           vsock://any:port to listen
 *   vsock-uds:///path?port=N   hybrid vsock as the host sees it (QEMU's vhost-device-vsock, Firecracker):
 *                              connect = open the path and say `CONNECT N\n`; listen = the socket `path_N`
 *   vsock-uds-guest:///path?port=N   the same as a simulated enclave sees it:
 *                              connect = open `path_N`; listen = serve `CONNECT N\n` on the path
 *   Both hybrid forms take &cid=C: the CID that the guest behind the path has.
 *
 * Specification: relay.md, "Endpoint"; firecracker docs/vsock.md for the hybrid form.
 */
import { isIPv6 } from 'node:net';
import type { Cid, VsockPort } from './brands.ts';
import { CID_ANY, toCid, toVsockPort } from './brands.ts';
import { WireError } from './errors.ts';
import { hostFault } from './host.ts';

/** sizeof(sun_path) is 108 with the terminating NUL; `_65535` may be appended to hybrid paths. */
export const MAX_UNIX_PATH_BYTES = 107;

export interface TcpEndpoint {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
}
export interface UnixEndpoint {
  readonly kind: 'unix';
  readonly path: string;
}
interface VsockEndpoint {
  readonly kind: 'vsock';
  readonly cid: Cid;
  readonly port: VsockPort;
}
export interface HybridEndpoint {
  /** `vsock-uds`: the host's view; `vsock-uds-guest`: the simulated enclave's view. */
  readonly kind: 'vsock-uds' | 'vsock-uds-guest';
  readonly path: string;
  readonly port: VsockPort;
  /** CID of the guest behind the path, if stated; peers that arrive over the path have it. */
  readonly cid: Cid | undefined;
}
export type Endpoint = TcpEndpoint | UnixEndpoint | VsockEndpoint | HybridEndpoint;

const FORMS =
  'tcp://host:port, unix:///path, vsock://cid:port, vsock-uds:///path?port=N[&cid=C], vsock-uds-guest:///path?port=N[&cid=C]';

function bad(text: string, why: string): WireError {
  return new WireError('CONFIG_ENDPOINT', `not an address: ${why}`, { found: text, allowed: FORMS });
}

function parseInteger(text: string, whole: string, what: string): number {
  if (!/^\d{1,10}$/.test(text)) throw bad(whole, `${what} must be a decimal number`);
  return Number(text);
}

function parseTcp(rest: string, whole: string): TcpEndpoint {
  const [, v6, name, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):(\d+)$/.exec(rest) ?? [];
  const host = v6 ?? name;
  if (host === undefined || digits === undefined) throw bad(whole, 'tcp needs host:port');
  const fault = v6 !== undefined && !isIPv6(v6) ? 'only an IPv6 address stands in brackets' : hostFault(host);
  if (fault !== undefined) throw bad(whole, fault);
  const port = parseInteger(digits, whole, 'the port');
  if (port > 65535) throw bad(whole, 'a TCP port is at most 65535');
  return { kind: 'tcp', host, port };
}

function checkPath(path: string, whole: string): string {
  if (!path.startsWith('/')) throw bad(whole, 'the path must be absolute');
  if (Buffer.byteLength(path) > MAX_UNIX_PATH_BYTES) throw bad(whole, `the path is over ${MAX_UNIX_PATH_BYTES} bytes`);
  return path;
}

function parseVsock(rest: string, whole: string): VsockEndpoint {
  const match = /^(any|\d+):(\d+)$/.exec(rest);
  if (!match?.[1] || !match[2]) throw bad(whole, 'vsock needs cid:port or any:port');
  const cid = match[1] === 'any' ? CID_ANY : toCid(parseInteger(match[1], whole, 'the CID'));
  return { kind: 'vsock', cid, port: toVsockPort(parseInteger(match[2], whole, 'the port')) };
}

function parseHybrid(kind: HybridEndpoint['kind'], rest: string, whole: string): HybridEndpoint {
  const match = /^([^?]+)\?port=(\d+)(?:&cid=(\d+))?$/.exec(rest);
  if (!match?.[1] || !match[2]) throw bad(whole, `${kind} needs path?port=N`);
  const port = toVsockPort(parseInteger(match[2], whole, 'the port'));
  const cid = match[3] === undefined ? undefined : toCid(parseInteger(match[3], whole, 'the CID'));
  checkPath(`${match[1]}_${port}`, whole);
  return { kind, path: checkPath(match[1], whole), port, cid };
}

/** @throws WireError CONFIG_ENDPOINT, CONFIG_NUMBER_RANGE */
export function parseEndpoint(text: string): Endpoint {
  const match = /^([a-z-]+):\/\/(.+)$/.exec(text);
  const rest = match?.[2] ?? '';
  switch (match?.[1]) {
    case 'tcp':
      return parseTcp(rest, text);
    case 'unix':
      return { kind: 'unix', path: checkPath(rest, text) };
    case 'vsock':
      return parseVsock(rest, text);
    case 'vsock-uds':
    case 'vsock-uds-guest':
      return parseHybrid(match[1], rest, text);
    default:
      throw bad(text, 'unknown or missing scheme');
  }
}

/** `host:port`, an IPv6 address in brackets (RFC 3986 section 3.2). */
export function formatAuthority({ host, port }: Pick<TcpEndpoint, 'host' | 'port'>): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The inverse of parseEndpoint. */
export function formatEndpoint(endpoint: Endpoint): string {
  switch (endpoint.kind) {
    case 'tcp':
      return `tcp://${formatAuthority(endpoint)}`;
    case 'unix':
      return `unix://${endpoint.path}`;
    case 'vsock':
      return `vsock://${endpoint.cid === CID_ANY ? 'any' : endpoint.cid}:${endpoint.port}`;
    default: {
      const cid = endpoint.cid === undefined ? '' : `&cid=${endpoint.cid}`;
      return `${endpoint.kind}://${endpoint.path}?port=${endpoint.port}${cid}`;
    }
  }
}
