/**
 * Who connected, from what accept() wrote. Limits by address count what one party can have at will: an IPv4 address, or the /64
 * of an IPv6 one, of which a single host commonly has all 2^64 addresses (RFC 4291 section 2.5.4, RFC 6177). An IPv4-mapped
 * address (RFC 4291 section 2.5.5.2) is the IPv4 address.
 */

import { decodeVsockCid, familyOf } from '../../system/libc/sockaddr.ts';
import { AF_INET, AF_INET6 } from '../../system/libc/socket-constants.ts';
import type { Endpoint } from '../../wire/endpoint.ts';
import type { Peer } from './connection.ts';

const INET_ADDRESS = 4;
const INET6_ADDRESS = 8;
const MAPPED_PREFIX = Buffer.from('00000000000000000000ffff', 'hex');
const PREFIX_BYTES = 8;

function dotted(bytes: Buffer, offset: number): string {
  return bytes.subarray(offset, offset + 4).join('.');
}

function prefix64(bytes: Buffer): string {
  const groups = Array.from({ length: PREFIX_BYTES / 2 }, (_, index) => bytes.readUInt16BE(INET6_ADDRESS + index * 2));
  return `${groups.map((group) => group.toString(16)).join(':')}::/64`;
}

/** `192.0.2.1`, `2001:db8:0:0::/64`, or undefined for families without such addresses. */
export function addressKey(from: Buffer): string | undefined {
  const family = familyOf(from);
  if (family === AF_INET) return dotted(from, INET_ADDRESS);
  if (family !== AF_INET6) return undefined;
  const mappedEnd = INET6_ADDRESS + MAPPED_PREFIX.length;
  return from.subarray(INET6_ADDRESS, mappedEnd).equals(MAPPED_PREFIX) ? dotted(from, mappedEnd) : prefix64(from);
}

/** @param from valid during this call only. */
export function peerOf(listen: Endpoint, from: Buffer): Peer {
  switch (listen.kind) {
    case 'vsock':
      return { cid: decodeVsockCid(from), address: undefined };
    case 'vsock-uds':
    case 'vsock-uds-guest':
      return { cid: listen.cid, address: undefined };
    case 'tcp':
      return { cid: undefined, address: addressKey(from) };
    case 'unix':
      return { cid: undefined, address: undefined };
  }
}
