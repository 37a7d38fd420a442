/**
 * The system calls on a connection's way, as an interface: the relay runs on Linux's, tests of rare orders of events run on a
 * double that answers as scripted. Every call that can fail returns the errno negated, so that none is read too late.
 */

import { close, eventfd, lastErrno, shutdown } from '../../system/libc/socket-calls.ts';
import { EFD_CLOEXEC, SHUT_WR } from '../../system/libc/socket-constants.ts';
import type { Accepted } from '../../system/libc/sockets.ts';
import {
  abortSocket,
  acceptPeer,
  connectSocket,
  openSocket,
  receiveInto,
  sendFrom,
  takeSocketError,
} from '../../system/libc/sockets.ts';
import { vsockBufferBytes } from '../../system/libc/vsock-buffer.ts';

export interface Sockets {
  /** A stream socket for the family of `address`. @returns its descriptor, or a negative errno. */
  open(address: Buffer): number;
  /** @returns 0 when connected at once, else the errno (EINPROGRESS included). */
  connect(fd: number, address: Buffer): number;
  /** Takes the error that waits on a socket: 0 if there is none. */
  takeError(fd: number): number;
  /** `fd` is a negative errno when there is nothing to accept. */
  accept(listener: number): Accepted;
  /** Into memory at `address`. @returns bytes, 0 at the end of the stream, or a negative errno. */
  recv(fd: number, address: number, length: number, flags: number): number;
  /** From memory at `address`, never with SIGPIPE. @returns bytes, or a negative errno. */
  send(fd: number, address: number, length: number): number;
  /** Nothing more will be written. */
  endWriting(fd: number): void;
  close(fd: number): void;
  /** Closes so that a TCP peer sees a reset, not an orderly end. */
  abort(fd: number): void;
  /** The buffer of a vsock socket, or -1. */
  bufferBytes(fd: number): number;
  /** A descriptor of no use, to hold a place. @returns it, or a negative errno. */
  openReserve(): number;
}

export const SYSTEM_SOCKETS: Sockets = {
  open(address) {
    const fd = openSocket(address);
    return fd >= 0 ? fd : -lastErrno();
  },
  connect: connectSocket,
  takeError: takeSocketError,
  accept: acceptPeer,
  recv: receiveInto,
  send: sendFrom,
  endWriting(fd) {
    shutdown(fd, SHUT_WR);
  },
  close(fd) {
    close(fd);
  },
  abort: abortSocket,
  bufferBytes: vsockBufferBytes,
  openReserve() {
    const fd = eventfd(0, EFD_CLOEXEC);
    return fd >= 0 ? fd : -lastErrno();
  },
};
