/**
 * The ends of many idle connections, cheap enough to hold ten thousand: plain descriptors through FFI.
 *
 *   idle-peer.ts hold          listens, prints its port; accepts everything and keeps it
 *   idle-peer.ts open PORT N   opens N connections, prints `open` and keeps them
 */

import { decodeInetPort, encodeInet } from '../../system/libc/sockaddr.ts';
import { accept, bind, connect, listen, socket, socketName } from '../../system/libc/socket-calls.ts';
import { AF_INET, SOCK_STREAM } from '../../system/libc/socket-constants.ts';

function hold(): never {
  const listener = socket(AF_INET, SOCK_STREAM, 0);
  const address = encodeInet('127.0.0.1', 0)!;
  bind(listener, address, address.length);
  listen(listener, 4096);
  socketName(listener, address, Buffer.from([address.length, 0, 0, 0]));
  console.log(decodeInetPort(address));
  for (;;) if (accept(listener, null, null, 0) < 0) throw new Error('the holding end ran out of descriptors');
}

function open(port: number, count: number): void {
  const address = encodeInet('127.0.0.1', port)!;
  for (let i = 0; i < count; i++) {
    const fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, address, address.length) !== 0)
      throw new Error(`only ${i} of ${count} connections opened`);
  }
  console.log('open');
  setInterval(() => undefined, 60_000);
}

const [mode, port, count] = process.argv.slice(2);
if (mode === 'hold') hold();
else open(Number(port), Number(count));
