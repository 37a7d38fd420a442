/** A connection to an upstream of host-proxy.yaml, found and tried as the relay does it, ended by its signal. */
import type { Socket } from 'node:net';
import { createConnection, isIP } from 'node:net';
import { interleaveFamilies } from '../../../relay/address-order.ts';
import type { Resolver } from '../../../relay/resolver.ts';
import { systemResolver } from '../../../relay/resolver.ts';
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

/** One that does not answer in this time makes room for the next, as long as there is one. */
const ATTEMPT_TIMEOUT_MS = 1_500;

const noAnswer = (host: string) => new HostProxyError('HOST_DOCTOR_PROBE', `${host} does not answer`);

async function connected(socket: Socket): Promise<Socket> {
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return socket.setTimeout(0);
}

/** The addresses of a host in the order in which the relay tries them. @throws when the name has none. */
export async function addressesOf(
  host: string,
  signal: AbortSignal,
  resolver: Resolver = systemResolver,
): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  const { addresses } = await resolver.resolve(host, signal);
  return interleaveFamilies(addresses).map(({ address }) => address);
}

/** Rejects with the signal's reason, or why it cannot be made: with several addresses, why the last did not take it. */
export async function connectTo(upstream: Upstream, signal: AbortSignal, resolver = systemResolver): Promise<Socket> {
  signal.throwIfAborted();
  if (upstream.kind !== 'tcp') return await connected(createConnection({ path: upstream.path, signal }));
  const addresses = await addressesOf(upstream.host, signal, resolver);
  let failure: unknown = new HostProxyError('HOST_DOCTOR_PROBE', `${upstream.host} has no address`);
  for (const [index, host] of addresses.entries()) {
    const socket = createConnection({ host, port: upstream.port, signal });
    const isLast = index === addresses.length - 1;
    if (!isLast) socket.setTimeout(ATTEMPT_TIMEOUT_MS, () => socket.destroy(noAnswer(host)));
    try {
      return await connected(socket);
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    }
  }
  throw failure;
}
