/**
 * Listening sockets. Unix ones are made with mode 0600, a stale file of a killed process is replaced, and the file is
 * removed at the end if it is still the one that was made.
 */
import { lstatSync, unlinkSync } from 'node:fs';
import { describeErrno, EADDRINUSE, ECONNREFUSED, ENOENT, isPermission } from '../../system/libc/errno.ts';
import {
  decodeInetPort,
  encodeInet,
  encodeUnix,
  encodeVsock,
  familyOf,
  MAX_SOCKADDR_BYTES,
} from '../../system/libc/sockaddr.ts';
import { bind, changeMode, close, lastErrno, listen, socketName } from '../../system/libc/socket-calls.ts';
import {
  AF_INET6,
  AF_UNIX,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SO_REUSEADDR,
  SOL_SOCKET,
} from '../../system/libc/socket-constants.ts';
import { connectSocket, openSocket, setIntegerOption } from '../../system/libc/sockets.ts';
import type { Endpoint } from '../../wire/endpoint.ts';
import { formatEndpoint } from '../../wire/endpoint.ts';
import { RelayError } from '../errors.ts';
import { hybridPortPath } from './upstream.ts';

const BACKLOG = 1024;
const SOCKET_FILE_MODE = 0o600;

export interface BoundSocket {
  readonly fd: number;
  /** The address with the port that the system chose, where 0 was asked for. */
  readonly endpoint: Endpoint;
  /** Removes the file of a unix socket, if it is still ours. */
  readonly unlink: () => void;
}

/** The file of a listening unix socket, or undefined. A guest's hybrid path is shared by all ports, see mux.ts. */
export function listenPath(endpoint: Endpoint): string | undefined {
  switch (endpoint.kind) {
    case 'unix':
    case 'vsock-uds-guest':
      return endpoint.path;
    case 'vsock-uds':
      return hybridPortPath(endpoint.path, endpoint.port);
    default:
      return undefined;
  }
}

function encodeListenAddress(endpoint: Endpoint): Buffer {
  if (endpoint.kind === 'vsock') return encodeVsock(endpoint.cid, endpoint.port);
  if (endpoint.kind !== 'tcp') return encodeUnix(listenPath(endpoint) ?? '');
  const address = encodeInet(endpoint.host, endpoint.port);
  if (address !== undefined) return address;
  throw new RelayError('RELAY_ROUTE_INVALID', 'cannot listen on a name', {
    found: endpoint.host,
    allowed: 'an IP address',
  });
}

function bindError(endpoint: Endpoint, errno: number): RelayError {
  const found = `${formatEndpoint(endpoint)} (${describeErrno(errno)})`;
  const path = listenPath(endpoint);
  if (errno === EADDRINUSE && path !== undefined && !isSocketFile(path)) {
    const allowed = 'a path where nothing lies; it is never replaced';
    return new RelayError('RELAY_BIND_FAILED', 'a file or folder that is no socket lies there', { found, allowed });
  }
  if (errno === EADDRINUSE) return new RelayError('RELAY_ADDRESS_IN_USE', 'the address is in use', { found });
  if (isPermission(errno)) return new RelayError('RELAY_PERMISSION', 'not allowed to listen here', { found });
  return new RelayError('RELAY_BIND_FAILED', 'cannot listen on this address', { found });
}

function isSocketFile(path: string): boolean {
  try {
    return lstatSync(path).isSocket();
  } catch {
    return false;
  }
}

/** Whether the file is a socket that nobody serves any more. */
function isStale(path: string, address: Buffer): boolean {
  if (!isSocketFile(path)) return false;
  const probe = openSocket(address);
  if (probe < 0) return false;
  const errno = connectSocket(probe, address);
  close(probe);
  return errno === ECONNREFUSED || errno === ENOENT;
}

/** bind() once more after the file of a dead process was removed. @returns 0, or an errno. */
function bindOver(fd: number, address: Buffer, path: string | undefined): number {
  if (bind(fd, address, address.length) === 0) return 0;
  const errno = lastErrno();
  if (errno !== EADDRINUSE || path === undefined || !isStale(path, address)) return errno;
  try {
    unlinkSync(path);
  } catch {
    return errno;
  }
  return bind(fd, address, address.length) === 0 ? 0 : lastErrno();
}

function bindAndListen(fd: number, address: Buffer, path: string | undefined): number {
  const family = familyOf(address);
  if (family === AF_UNIX) changeMode(fd, SOCKET_FILE_MODE);
  else setIntegerOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (family === AF_INET6) setIntegerOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  const errno = bindOver(fd, address, path);
  if (errno !== 0) return errno;
  return listen(fd, BACKLOG) === 0 ? 0 : lastErrno();
}

function boundEndpoint(fd: number, endpoint: Endpoint): Endpoint {
  if (endpoint.kind !== 'tcp' || endpoint.port !== 0) return endpoint;
  const address = Buffer.alloc(MAX_SOCKADDR_BYTES);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(MAX_SOCKADDR_BYTES);
  socketName(fd, address, length);
  return { ...endpoint, port: decodeInetPort(address) };
}

function unlinker(path: string | undefined): () => void {
  if (path === undefined) return () => undefined;
  const made = lstatSync(path, { throwIfNoEntry: false });
  return () => {
    const now = lstatSync(path, { throwIfNoEntry: false });
    if (made === undefined || now?.ino !== made.ino || now.dev !== made.dev) return;
    try {
      unlinkSync(path);
    } catch {
      // Gone already, or its folder is read-only by now: nothing that could be done about it here.
    }
  };
}

/** @throws RelayError RELAY_ADDRESS_IN_USE, RELAY_PERMISSION, RELAY_BIND_FAILED, RELAY_ROUTE_INVALID */
export function openListeningSocket(endpoint: Endpoint): BoundSocket {
  const address = encodeListenAddress(endpoint);
  const path = listenPath(endpoint);
  const fd = openSocket(address);
  if (fd < 0) throw bindError(endpoint, lastErrno());
  const errno = bindAndListen(fd, address, path);
  if (errno !== 0) {
    close(fd);
    throw bindError(endpoint, errno);
  }
  return { fd, endpoint: boundEndpoint(fd, endpoint), unlink: unlinker(path) };
}
