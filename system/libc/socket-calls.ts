/**
 * The system calls of the relay, through FFI. Every function returns what C returns: -1 means failure, and `lastErrno()`
 * must then be read before any other call.
 *
 * `recv` and `send` take an address as a number (user-space addresses fit 47 bits), so that a position inside a buffer
 * needs no object; `NativeBuffer` is the only source of such addresses. Lengths stay below 2^31, so the result registers
 * of `ssize_t` functions are read as `int`.
 */
import koffi from 'koffi';

/** null: the symbols of the running process, which is linked with its C library whatever that library's name is. */
const library = koffi.load(null);

type Pointer = Buffer | null;

export const epollCreate: (flags: number) => number = library.func('int epoll_create1(int)');
export const epollControl: (epoll: number, operation: number, fd: number, event: Pointer) => number = library.func(
  'int epoll_ctl(int, int, int, void *)',
);
export const epollWait: (epoll: number, events: Buffer, maxEvents: number, timeoutMs: number) => number = library.func(
  'int epoll_wait(int, void *, int, int)',
);
export const eventfd: (initial: number, flags: number) => number = library.func('int eventfd(uint, int)');

export const socket: (family: number, type: number, protocol: number) => number =
  library.func('int socket(int, int, int)');
export const bind: (fd: number, address: Buffer, length: number) => number =
  library.func('int bind(int, void *, uint)');
export const listen: (fd: number, backlog: number) => number = library.func('int listen(int, int)');
export const accept: (fd: number, address: Pointer, length: Pointer, flags: number) => number = library.func(
  'int accept4(int, void *, void *, int)',
);
export const connect: (fd: number, address: Buffer, length: number) => number = library.func(
  'int connect(int, void *, uint)',
);
export const socketName: (fd: number, address: Buffer, length: Buffer) => number = library.func(
  'int getsockname(int, void *, void *)',
);
export const setOption: (fd: number, level: number, option: number, value: Buffer, length: number) => number =
  library.func('int setsockopt(int, int, int, void *, uint)');
export const getOption: (fd: number, level: number, option: number, value: Buffer, length: Buffer) => number =
  library.func('int getsockopt(int, int, int, void *, void *)');
export const readDescriptor: (fd: number, memory: Buffer, length: number) => number = library.func(
  'int read(int, void *, size_t)',
);
export const changeMode: (fd: number, mode: number) => number = library.func('int fchmod(int, uint)');

export const recv: (fd: number, address: number, length: number, flags: number) => number = library.func(
  'int recv(int, uintptr_t, size_t, int)',
);
export const send: (fd: number, address: number, length: number, flags: number) => number = library.func(
  'int send(int, uintptr_t, size_t, int)',
);
export const shutdown: (fd: number, how: number) => number = library.func('int shutdown(int, int)');
export const close: (fd: number) => number = library.func('int close(int)');

/** errno of the call before, which must have returned -1. */
export function lastErrno(): number {
  return koffi.errno();
}

/** Memory at a fixed address. The address is valid as long as this object is referenced. */
export class NativeBuffer {
  readonly bytes: Buffer;
  readonly address: number;

  constructor(length: number) {
    this.bytes = Buffer.allocUnsafeSlow(length);
    this.address = Number(koffi.address(this.bytes));
  }
}
