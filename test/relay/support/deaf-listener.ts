/** A listener whose queue is full and that accepts nothing: whoever connects hangs. */

import { decodeInetPort, encodeInet, encodeUnix } from '../../../system/libc/sockaddr.ts';
import { bind, close, listen, socketName } from '../../../system/libc/socket-calls.ts';
import { acceptPeer, connectSocket, openSocket } from '../../../system/libc/sockets.ts';
import type { Endpoint } from '../../../wire/endpoint.ts';

interface Test {
  teardown(fn: () => unknown): void;
}

/** @param path of a unix socket; without: TCP on the loopback. */
export function startDeafListener(
  t: Test,
  path?: string,
): { readonly endpoint: Endpoint; acceptOne(): void; close(): void } {
  const address = path === undefined ? encodeInet('127.0.0.1', 0)! : encodeUnix(path);
  const listener = openSocket(address);
  bind(listener, address, address.length);
  listen(listener, 0);
  if (path === undefined) socketName(listener, address, Buffer.from([address.length, 0, 0, 0]));
  // A backlog of 0 takes one connection on both families; Linux TCP may take one more.
  const fillers = Array.from({ length: path === undefined ? 2 : 1 }, () => {
    const fd = openSocket(address);
    connectSocket(fd, address);
    return fd;
  });
  const descriptors = [listener, ...fillers];
  const closeAll = () => {
    for (const fd of descriptors.splice(0)) close(fd);
  };
  t.teardown(closeAll);
  const acceptOne = () => {
    descriptors.push(acceptPeer(listener).fd);
  };
  if (path !== undefined) return { endpoint: { kind: 'unix', path }, acceptOne, close: closeAll };
  return { endpoint: { kind: 'tcp', host: '127.0.0.1', port: decodeInetPort(address) }, acceptOne, close: closeAll };
}
