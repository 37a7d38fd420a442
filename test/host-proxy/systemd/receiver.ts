/** A service manager's end of the notification socket: a real unix datagram socket, read through libc. */

import { encodeUnixAddress } from '../../../host-proxy/systemd/datagram.ts';
import { bind, close, NativeBuffer, recv, socket } from '../../../system/libc/socket-calls.ts';
import { AF_UNIX, SOCK_CLOEXEC, SOCK_NONBLOCK } from '../../../system/libc/socket-constants.ts';

const SOCK_DGRAM = 2;
const MAX_MESSAGE_BYTES = 65_536;

export interface Receiver {
  /** The oldest message that was not taken yet, or undefined; messages of unix sockets are there when send() returns. */
  take(): string | undefined;
  takeAll(): readonly string[];
}

export function receiveAt(t: { teardown(fn: () => void): void }, path: string): Receiver {
  const fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const address = encodeUnixAddress(path);
  if (fd < 0 || bind(fd, address, address.length) !== 0) throw new Error(`cannot receive at ${path}`);
  t.teardown(() => void close(fd));
  const memory = new NativeBuffer(MAX_MESSAGE_BYTES);
  const take = () => {
    const length = recv(fd, memory.address, MAX_MESSAGE_BYTES, 0);
    return length < 0 ? undefined : memory.bytes.toString('utf8', 0, length);
  };
  return {
    take,
    takeAll: () => [
      ...(function* () {
        for (let message = take(); message !== undefined; message = take()) yield message;
      })(),
    ],
  };
}
