/**
 * One datagram to a unix socket, which Node itself cannot send. A socket for each message, as libsystemd does it: nothing
 * is held open, and a service manager that re-executed itself is found again.
 *
 * Specification: unix(7). An abstract address is told from a path by a leading NUL, and ends where its length says.
 */
import { close, connect, lastErrno, NativeBuffer, send, socket } from '../../system/libc/socket-calls.ts';
import { AF_UNIX, MSG_NOSIGNAL, SOCK_CLOEXEC, SOCK_NONBLOCK } from '../../system/libc/socket-constants.ts';

/** linux/net.h; the rest of the project uses streams alone. */
const SOCK_DGRAM = 2;

/** @param path an absolute path, or `@name` for an abstract address. */
export function encodeUnixAddress(path: string): Buffer {
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  const abstract = path.startsWith('@');
  return Buffer.concat([family, Buffer.from(abstract ? `\0${path.slice(1)}` : `${path}\0`)]);
}

/** Never blocks. @returns 0, or the errno. */
export function sendDatagram(address: Buffer, text: string): number {
  const fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return lastErrno();
  const bytes = Buffer.from(text);
  const message = new NativeBuffer(bytes.length);
  bytes.copy(message.bytes);
  try {
    if (connect(fd, address, address.length) !== 0) return lastErrno();
    return send(fd, message.address, bytes.length, MSG_NOSIGNAL) === bytes.length ? 0 : lastErrno();
  } finally {
    close(fd);
  }
}
