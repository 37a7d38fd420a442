/**
 * Addresses of the loopback interface, the only one in an enclave, whatever their spelling. What could lead to a door of the enclave's
 * own counts as leading there. Specification: RFC 5735 section 3 (127.0.0.0/8), RFC 4291 sections 2.5.3 and 2.5.5.2 (::1, v4-mapped),
 * RFC 6761 section 6.3 (localhost).
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { dialledAddress } from '../fields.ts';

export const LOCALHOST = 'localhost';
const UNSPECIFIED: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
const OF_LOCALHOST: ReadonlySet<string> = new Set(['127.0.0.1', '::1']);
/** As `URL` writes ::ffff:a.b.c.d. */
const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/** One spelling for each host. @param host as endpoints have it: an IPv6 address without brackets */
export function canonicalHost(host: string): string {
  if (isIPv4(host)) return host;
  if (!isIPv6(host)) return host.toLowerCase().replace(/\.$/, '');
  const written = new URL(`http://[${host}]`).hostname.slice(1, -1);
  const [, high, low] = MAPPED.exec(written) ?? [];
  if (high === undefined || low === undefined) return written;
  const value = Number.parseInt(high, 16) * 0x10000 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.');
}

/** Not 0.0.0.0 or ::, which are no addresses of an interface. */
function isLoopback({ host }: TcpEndpoint): boolean {
  const canonical = canonicalHost(host);
  return canonical === LOCALHOST || canonical === '::1' || (isIPv4(canonical) && canonical.startsWith('127.'));
}

/** Whether a connection to one of them may reach who listens on the other. */
export function mayMeet(a: TcpEndpoint, b: TcpEndpoint): boolean {
  if (a.port !== b.port) return false;
  const [one, other] = [canonicalHost(a.host), canonicalHost(b.host)];
  if (one === other || UNSPECIFIED.has(one) || UNSPECIFIED.has(other)) return true;
  return (one === LOCALHOST && OF_LOCALHOST.has(other)) || (other === LOCALHOST && OF_LOCALHOST.has(one));
}

/** Where something in the enclave listens, or is found. */
export const loopbackAddress = dialledAddress('tcp').refine(isLoopback, {
  error: 'must be an address of the loopback interface (127.0.0.0/8, [::1] or localhost): an enclave has no other',
});
