/** Who connected, from what accept() wrote: ip(7), ipv6(7), vsock(7). */
import { decodeInetAddress, decodeInetPort, decodeVsockCid } from '../../system/libc/sockaddr.ts';
import type { Endpoint } from '../../wire/endpoint.ts';
import { addressKey, formatAddress } from '../../wire/networks.ts';
import type { Source } from '../../wire/proxy-protocol.ts';
import type { Peer } from './connection.ts';

/** Undefined for families without such addresses. */
function sourceOf(from: Buffer): Source | undefined {
  const address = decodeInetAddress(from);
  return address && { address: formatAddress(address), port: decodeInetPort(from) };
}

/** A peer that is known by an address of IPv4 or IPv6, or is not. */
export function peerFrom(source: Source | undefined): Peer {
  return { cid: undefined, address: source && addressKey(source.address), source };
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
      return peerFrom(sourceOf(from));
    case 'unix':
      return { cid: undefined, address: undefined };
  }
}
