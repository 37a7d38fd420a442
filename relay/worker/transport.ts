/** What differs between the kinds of sockets once they are connected. */
import type { Endpoint } from '../../wire/endpoint.ts';

/**
 * The most that one write to vsock may carry. Kernels with commit 6693731487a8 (6.17, and 6.12.y of late 2025) put more
 * than 32 KiB in several descriptors: data was corrupted on Nitro, and vhost-device-vsock stalls for ever. Hybrid sockets
 * lead to the same devices. Specification: relay.md, must hold 3.
 */
const MAX_VSOCK_WRITE_BYTES = 31 * 1024;

export interface Transport {
  readonly kind: Endpoint['kind'];
  readonly isVsock: boolean;
  /** Whether MAX_VSOCK_WRITE_BYTES binds its writes. */
  readonly isCapped: boolean;
  readonly maxWriteBytes: number;
}

function transport(kind: Endpoint['kind'], isCapped: boolean): Transport {
  const maxWriteBytes = isCapped ? MAX_VSOCK_WRITE_BYTES : Number.MAX_SAFE_INTEGER;
  return { kind, isVsock: kind === 'vsock', isCapped, maxWriteBytes };
}

export const TRANSPORTS: Readonly<Record<Endpoint['kind'], Transport>> = {
  tcp: transport('tcp', false),
  unix: transport('unix', false),
  vsock: transport('vsock', true),
  'vsock-uds': transport('vsock-uds', true),
  'vsock-uds-guest': transport('vsock-uds-guest', true),
};
