/** A connection to an upstream of host-proxy.yaml, ended by its signal. */

import type { Socket } from 'node:net';
import { createConnection } from 'node:net';
import { setIntegerOption } from '../../../system/libc/sockets.ts';
import { HostProxyError } from '../../errors.ts';
import type { Upstream } from '../parent-system.ts';

/** linux/in.h */
const IPPROTO_IP = 0;
const IP_MINTTL = 21;

interface WithHandle {
  readonly _handle?: { readonly fd?: number };
}

/** @throws HostProxyError HOST_DOCTOR_PROBE when the kernel refuses. */
export function setMinimumTtl(socket: Socket, ttl: number): void {
  const fd = (socket as unknown as WithHandle)._handle?.fd ?? -1;
  if (setIntegerOption(fd, IPPROTO_IP, IP_MINTTL, ttl) !== 0)
    throw new HostProxyError('HOST_DOCTOR_PROBE', 'IP_MINTTL cannot be set here');
}

/** Rejects with the signal's reason, or why it cannot be made. */
export async function connectTo(upstream: Upstream, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const socket =
    upstream.kind === 'tcp'
      ? createConnection({ host: upstream.host, port: upstream.port, signal })
      : createConnection({ path: upstream.path, signal });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return socket;
}
