/** Sockets with the options that the product wants on every one of them: non-blocking, close-on-exec, TCP without delay, vsock with a wide buffer. */

import { familyOf, MAX_SOCKADDR_BYTES } from './sockaddr.ts';
import { accept, close, connect, getOption, lastErrno, recv, send, setOption, socket } from './socket-calls.ts';
import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  AF_VSOCK,
  IPPROTO_TCP,
  MSG_NOSIGNAL,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_LINGER,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
} from './socket-constants.ts';
import { widenVsockBuffer } from './vsock-buffer.ts';

/** A dead TCP peer is noticed after 60 s + 4 * 15 s. */
const KEEPALIVE_IDLE_SECONDS = 60;
const KEEPALIVE_INTERVAL_SECONDS = 15;
const KEEPALIVE_PROBES = 4;

const integer = Buffer.alloc(4);
const length = Buffer.alloc(4);
const lingerZero = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
const peerAddress = Buffer.alloc(MAX_SOCKADDR_BYTES);

/** @returns 0, or -1 with errno set. */
export function setIntegerOption(fd: number, level: number, option: number, value: number): number {
  integer.writeInt32LE(value);
  return setOption(fd, level, option, integer, 4);
}

/** The option's value, or -1. */
export function getIntegerOption(fd: number, level: number, option: number): number {
  length.writeUInt32LE(4);
  return getOption(fd, level, option, integer, length) === 0 ? integer.readInt32LE() : -1;
}

/**
 * A stream socket for the family of `address`, or -1 with errno set. On TCP it has TCP_NODELAY and keep-alive, on vsock its
 * buffer; a listener passes them on to the sockets that it accepts.
 */
export function openSocket(address: Buffer): number {
  const family = familyOf(address);
  const fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0 && family === AF_VSOCK) widenVsockBuffer(fd);
  if (fd < 0 || (family !== AF_INET && family !== AF_INET6)) return fd;
  setIntegerOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  setIntegerOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  setIntegerOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS);
  setIntegerOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SECONDS);
  setIntegerOption(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
  return fd;
}

export interface Accepted {
  /** The descriptor, or a negative errno. */
  readonly fd: number;
  /** The peer's address, valid until the next call; its family is AF_UNSPEC where the peer has none. */
  readonly from: Buffer;
}

/** Takes a connection that waits on a listener. */
export function acceptPeer(listener: number): Accepted {
  length.writeUInt32LE(MAX_SOCKADDR_BYTES);
  peerAddress.writeUInt16LE(AF_UNSPEC);
  const fd = accept(listener, peerAddress, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  return { fd: fd >= 0 ? fd : -lastErrno(), from: peerAddress };
}

/** recv() into memory at `address`. @returns bytes, 0 at the end of the stream, or a negative errno. */
export function receiveInto(fd: number, address: number, byteLength: number, flags: number): number {
  const got = recv(fd, address, byteLength, flags);
  return got >= 0 ? got : -lastErrno();
}

/** send() from memory at `address`, without SIGPIPE. @returns bytes, or a negative errno. */
export function sendFrom(fd: number, address: number, byteLength: number): number {
  const sent = send(fd, address, byteLength, MSG_NOSIGNAL);
  return sent >= 0 ? sent : -lastErrno();
}

/** @returns 0 when connected at once, else the errno (EINPROGRESS included). */
export function connectSocket(fd: number, address: Buffer): number {
  return connect(fd, address, address.length) === 0 ? 0 : lastErrno();
}

/** Takes the error that waits on a socket: 0 if there is none. */
export function takeSocketError(fd: number): number {
  const errno = getIntegerOption(fd, SOL_SOCKET, SO_ERROR);
  return errno >= 0 ? errno : lastErrno();
}

/** Closes so that a TCP peer sees a reset, not an orderly end. */
export function abortSocket(fd: number): void {
  setOption(fd, SOL_SOCKET, SO_LINGER, lingerZero, lingerZero.length);
  close(fd);
}
