/**
 * Blocking sockets through FFI for the programs that put load on a relay: what they cost themselves is time that the relay does not get.
 * Endpoints are written as everywhere (wire/endpoint.ts), TCP on loopback or a unix path.
 */
import { rmSync } from 'node:fs';
import { decodeInetPort, encodeInet, encodeUnix, familyOf } from '../../../system/libc/sockaddr.ts';
import {
  bind,
  connect,
  lastErrno,
  listen,
  NativeBuffer,
  socket,
  socketName,
} from '../../../system/libc/socket-calls.ts';
import { AF_UNIX, IPPROTO_TCP, SOCK_STREAM, TCP_NODELAY } from '../../../system/libc/socket-constants.ts';
import { setIntegerOption } from '../../../system/libc/sockets.ts';
import { type Endpoint, parseEndpoint } from '../../../wire/endpoint.ts';

const BACKLOG = 4096;
/** recv(2) */
export const MSG_DONTWAIT = 0x40;

/** What all of it is read into and sent from. */
export const memory = new NativeBuffer(256 * 1024);
memory.bytes.fill(0x5a);

function encode(endpoint: Endpoint): Buffer {
  const address =
    endpoint.kind === 'tcp'
      ? encodeInet(endpoint.host, endpoint.port)
      : endpoint.kind === 'unix' && encodeUnix(endpoint.path);
  if (!address) throw new Error(`no load for an address of kind ${endpoint.kind}`);
  return address;
}

function open(address: Buffer): number {
  const fd = socket(familyOf(address), SOCK_STREAM, 0);
  if (fd < 0) throw new Error(`socket: errno ${lastErrno()}`);
  if (familyOf(address) !== AF_UNIX) setIntegerOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  return fd;
}

/** Listens, and prints where. @param text an endpoint; port 0: any */
export function listenAt(text: string): number {
  const endpoint = parseEndpoint(text);
  if (endpoint.kind === 'unix') rmSync(endpoint.path, { force: true });
  const address = encode(endpoint);
  const fd = open(address);
  if (bind(fd, address, address.length) !== 0 || listen(fd, BACKLOG) !== 0) {
    throw new Error(`cannot listen at ${text}: errno ${lastErrno()}`);
  }
  if (endpoint.kind === 'tcp') socketName(fd, address, Buffer.from([address.length, 0, 0, 0]));
  console.log(endpoint.kind === 'tcp' ? `tcp://127.0.0.1:${decodeInetPort(address)}` : text);
  return fd;
}

export function dial(text: string): number {
  const address = encode(parseEndpoint(text));
  const fd = open(address);
  if (connect(fd, address, address.length) !== 0) throw new Error(`cannot connect to ${text}: errno ${lastErrno()}`);
  return fd;
}
