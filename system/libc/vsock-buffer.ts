/**
 * How much may wait to be read on a vsock socket: its buffer is the credit that the other end gets, and bounds the packets too
 * (relay.md, K16). A connecting socket needs it before connect(); what a listener has, accepted sockets have.
 * Sources: vsock(7); Linux, net/vmw_vsock/af_vsock.c vsock_update_buffer_size, __vsock_create.
 */
import { getOption, setOption } from './socket-calls.ts';
import { AF_VSOCK, SO_VM_SOCKETS_BUFFER_MAX_SIZE, SO_VM_SOCKETS_BUFFER_SIZE } from './socket-constants.ts';

/** Twice the kernel's default; why not more: docs/decisions/0029. */
export const VSOCK_BUFFER_BYTES = 512 * 1024;

const value = Buffer.alloc(8);
const length = Buffer.alloc(4);

/** The limit first: the size is cut to it. A kernel that takes neither keeps its own size, which `vsockBufferBytes` tells. */
export function widenVsockBuffer(fd: number): void {
  value.writeBigUInt64LE(BigInt(VSOCK_BUFFER_BYTES));
  setOption(fd, AF_VSOCK, SO_VM_SOCKETS_BUFFER_MAX_SIZE, value, value.length);
  setOption(fd, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, value, value.length);
}

/** The buffer of a vsock socket, or -1 where it cannot be told. */
export function vsockBufferBytes(fd: number): number {
  length.writeUInt32LE(value.length);
  const isTold = getOption(fd, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, value, length) === 0;
  return isTold ? Number(value.readBigUInt64LE()) : -1;
}
