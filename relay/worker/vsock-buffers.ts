/**
 * What came of the buffers that vsock sockets ask for (relay.md, K16): read back once a route, told where a kernel gives less. A smaller one
 * works; connections with many small packets unread then end sooner where that kernel counts them.
 */
import { VSOCK_BUFFER_BYTES } from '../../system/libc/vsock-buffer.ts';
import type { Engine } from './engine.ts';
import type { RouteState } from './route-state.ts';

/** Of the sockets that will be dialled: of one that is not. */
function ofDialled(engine: Engine, { upstream }: RouteState): number {
  const [address] = upstream.addresses;
  if (!upstream.transport.isVsock || address === undefined) return -1;
  const fd = engine.sockets.open(address);
  if (fd < 0) return -1;
  const bytes = engine.sockets.bufferBytes(fd);
  engine.sockets.close(fd);
  return bytes;
}

/** @param listener its descriptor @returns undefined for a route without vsock, or where nobody tells */
export function vsockBufferOf(engine: Engine, route: RouteState, listener: number | undefined): number | undefined {
  const isHeard = route.listenTransport.isVsock && listener !== undefined;
  const bytes = isHeard ? engine.sockets.bufferBytes(listener) : ofDialled(engine, route);
  if (bytes < 0) return undefined;
  if (bytes < VSOCK_BUFFER_BYTES) {
    engine.log.always('warn', 'relay.vsock-buffer', { route: route.label, bytes, wantedBytes: VSOCK_BUFFER_BYTES });
  }
  return bytes;
}
