/** What the daemon's HTTP servers have in common: each listens on an address of its own until it is stopped. */
import type { Server } from 'node:http';
import type { AddressInfo, Socket, Server as TcpServer } from 'node:net';
import type { OldestFirst } from '../runtime/oldest-first.ts';
import { listenAt } from '../system/listen.ts';
import type { TcpEndpoint } from '../wire/endpoint.ts';
import { formatEndpoint } from '../wire/endpoint.ts';
import { addressKey } from '../wire/networks.ts';
import { HostProxyError } from './errors.ts';

/** @throws HostProxyError with that code */
export function listenOn(
  server: TcpServer,
  listen: TcpEndpoint,
  code: 'HOST_ADMIN_BIND' | 'HOST_ATTESTATION_BIND' | 'HOST_HEALTH_BIND',
): Promise<void> {
  const { host, port } = listen;
  const failed = (cause: unknown) => new HostProxyError(code, `cannot listen on ${formatEndpoint(listen)}`, { cause });
  return listenAt(server, { host, port }, failed);
}

/** Whoever is connected is cut off. */
export async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

/**
 * Gives a connection of strangers a place until it closes. Of more than there is room for the oldest goes, of the address that has most of them: one that
 * says nothing keeps nobody out.
 */
export function takePlace(places: OldestFirst<Socket>, socket: Socket, most: number): void {
  places.add(socket, addressKey(socket.remoteAddress ?? ''));
  socket.once('close', () => places.delete(socket));
  if (places.size <= most) return;
  const oldest = places.oldestOf(places.busiest?.whose);
  if (oldest === undefined) return;
  places.delete(oldest);
  oldest.destroy();
}

/** The port is the real one when 0 was asked for. */
export function boundAddress(server: TcpServer): TcpEndpoint {
  const { address, port } = server.address() as AddressInfo;
  return { kind: 'tcp', host: address, port };
}
