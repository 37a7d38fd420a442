/** Where a connection is to be dialled: encoded addresses, or a name that has to be resolved first. */

import { encodeInet, encodeUnix, encodeVsock } from '../../system/libc/sockaddr.ts';
import type { Endpoint } from '../../wire/endpoint.ts';
import { formatEndpoint } from '../../wire/endpoint.ts';
import type { Transport } from './transport.ts';
import { TRANSPORTS } from './transport.ts';

export interface Upstream {
  readonly transport: Transport;
  /** Empty when `name` has to be resolved. */
  readonly addresses: readonly Buffer[];
  readonly name: { readonly host: string; readonly port: number } | undefined;
  /** The port of the `CONNECT` line to say after connecting. */
  readonly hybridPort: number | undefined;
  /** For logs. */
  readonly text: string;
}

/** The path of the socket that carries connections to `port` of the host: `path_N`. */
export function hybridPortPath(path: string, port: number): string {
  return `${path}_${port}`;
}

export function tcpUpstream(host: string, port: number): Upstream {
  const literal = encodeInet(host, port);
  return {
    transport: TRANSPORTS.tcp,
    addresses: literal === undefined ? [] : [literal],
    name: literal === undefined ? { host, port } : undefined,
    hybridPort: undefined,
    text: formatEndpoint({ kind: 'tcp', host, port }),
  };
}

export function upstreamOf(endpoint: Endpoint): Upstream {
  const fixed = { transport: TRANSPORTS[endpoint.kind], name: undefined, text: formatEndpoint(endpoint) };
  switch (endpoint.kind) {
    case 'tcp':
      return tcpUpstream(endpoint.host, endpoint.port);
    case 'unix':
      return { ...fixed, addresses: [encodeUnix(endpoint.path)], hybridPort: undefined };
    case 'vsock':
      return { ...fixed, addresses: [encodeVsock(endpoint.cid, endpoint.port)], hybridPort: undefined };
    case 'vsock-uds':
      return { ...fixed, addresses: [encodeUnix(endpoint.path)], hybridPort: endpoint.port };
    case 'vsock-uds-guest': {
      const path = hybridPortPath(endpoint.path, endpoint.port);
      return { ...fixed, addresses: [encodeUnix(path)], hybridPort: undefined };
    }
  }
}
