/** Options that every socket of the product must have, whichever way it came to be. */
import t from 'tap';
import { encodeInet, encodeUnix, encodeVsock } from '../../../system/libc/sockaddr.ts';
import { bind, close, listen, socketName } from '../../../system/libc/socket-calls.ts';
import {
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SOL_SOCKET,
  TCP_KEEPIDLE,
  TCP_NODELAY,
} from '../../../system/libc/socket-constants.ts';
import { acceptPeer, connectSocket, getIntegerOption, openSocket } from '../../../system/libc/sockets.ts';
import { VSOCK_BUFFER_BYTES, vsockBufferBytes } from '../../../system/libc/vsock-buffer.ts';
import { toCid, toVsockPort } from '../../../wire/brands.ts';

function options(fd: number): number[] {
  return [
    getIntegerOption(fd, IPPROTO_TCP, TCP_NODELAY),
    getIntegerOption(fd, SOL_SOCKET, SO_KEEPALIVE),
    getIntegerOption(fd, IPPROTO_TCP, TCP_KEEPIDLE),
  ];
}

t.test('dialled and accepted TCP sockets send without delay and notice dead peers', async (t) => {
  const address = encodeInet('127.0.0.1', 0)!;
  const listener = openSocket(address);
  bind(listener, address, address.length);
  listen(listener, 1);
  socketName(listener, address, Buffer.from([address.length, 0, 0, 0]));
  const dialled = openSocket(address);
  connectSocket(dialled, address);
  const accepted = acceptPeer(listener).fd;
  t.ok(accepted >= 0);
  t.same(options(dialled), [1, 1, 60]);
  t.same(options(accepted), [1, 1, 60], 'inherited from the listener');
  for (const fd of [accepted, dialled, listener]) close(fd);
});

t.test('unix sockets are opened as well', async (t) => {
  const fd = openSocket(encodeUnix('/nowhere'));
  t.ok(fd >= 0);
  close(fd);
});

t.test('vsock sockets have a buffer above the kernel’s default, which reads back', async (t) => {
  const fd = openSocket(encodeVsock(toCid(3), toVsockPort(5000)));
  if (fd < 0) {
    t.comment('no AF_VSOCK on this machine; test/enclave/vsock.test.ts reads it back in the enclave');
    return;
  }
  t.equal(vsockBufferBytes(fd), VSOCK_BUFFER_BYTES);
  close(fd);
});

t.test('other sockets tell no vsock buffer', async (t) => {
  const fd = openSocket(encodeUnix('/nowhere'));
  t.equal(vsockBufferBytes(fd), -1);
  close(fd);
});
