/**
 * The two ends of a measurement, as programs of their own with blocking sockets through FFI, so that they cost as little as
 * possible beside the relay that is measured.
 *
 *   load-peer.ts sink            listens, prints its port; swallows connections one after the other, prints Gbit/s and GiB of each
 *   load-peer.ts echo            listens, prints its port; sends back what it gets
 *   load-peer.ts source PORT MS  sends as fast as it can
 *   load-peer.ts ping PORT MS    100 bytes there and back, one at a time; prints the median in microseconds and the number
 */

import { decodeInetPort, encodeInet } from '../../system/libc/sockaddr.ts';
import {
  accept,
  bind,
  close,
  connect,
  listen,
  NativeBuffer,
  recv,
  send,
  socket,
  socketName,
} from '../../system/libc/socket-calls.ts';
import { AF_INET, IPPROTO_TCP, MSG_NOSIGNAL, SOCK_STREAM, TCP_NODELAY } from '../../system/libc/socket-constants.ts';
import { setIntegerOption } from '../../system/libc/sockets.ts';

const MESSAGE_BYTES = 100;
const WARM_UP_ROUND_TRIPS = 2000;
const memory = new NativeBuffer(256 * 1024);
memory.bytes.fill(0x5a);

function loopback(port: number): Buffer {
  return encodeInet('127.0.0.1', port)!;
}

function openBlocking(): number {
  const fd = socket(AF_INET, SOCK_STREAM, 0);
  setIntegerOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  return fd;
}

function serve(onConnection: (fd: number) => void): never {
  const listener = openBlocking();
  const address = loopback(0);
  bind(listener, address, address.length);
  listen(listener, 16);
  const length = Buffer.from([address.length, 0, 0, 0]);
  socketName(listener, address, length);
  console.log(decodeInetPort(address));
  for (;;) {
    const fd = accept(listener, null, null, 0);
    onConnection(fd);
    close(fd);
  }
}

function dial(port: number): number {
  const fd = openBlocking();
  const address = loopback(port);
  if (connect(fd, address, address.length) !== 0) throw new Error(`cannot connect to ${port}`);
  return fd;
}

function swallow(fd: number): void {
  let total = 0;
  const startMs = performance.now();
  for (let got = 1; got > 0; total += got) got = recv(fd, memory.address, memory.bytes.length, 0);
  const gigabits = (total * 8) / 1e9 / ((performance.now() - startMs) / 1000);
  if (total > 0) console.log(gigabits.toFixed(3), (total / 2 ** 30).toFixed(4));
}

function echo(fd: number): void {
  for (;;) {
    const got = recv(fd, memory.address, memory.bytes.length, 0);
    if (got <= 0) return;
    send(fd, memory.address, got, MSG_NOSIGNAL);
  }
}

function source(port: number, durationMs: number): void {
  const fd = dial(port);
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs) if (send(fd, memory.address, memory.bytes.length, MSG_NOSIGNAL) <= 0) break;
  close(fd);
}

function ping(port: number, durationMs: number): void {
  const fd = dial(port);
  const micros: number[] = [];
  const roundTrip = () => {
    send(fd, memory.address, MESSAGE_BYTES, MSG_NOSIGNAL);
    for (let left = MESSAGE_BYTES; left > 0; ) left -= recv(fd, memory.address, left, 0);
  };
  for (let i = 0; i < WARM_UP_ROUND_TRIPS; i++) roundTrip();
  const endMs = performance.now() + durationMs;
  for (let before = performance.now(); before < endMs; ) {
    roundTrip();
    const after = performance.now();
    micros.push((after - before) * 1000);
    before = after;
  }
  close(fd);
  micros.sort((a, b) => a - b);
  console.log(micros[Math.floor(micros.length / 2)]!.toFixed(1), micros.length);
}

const [mode, port, durationMs] = process.argv.slice(2);
if (mode === 'sink') serve(swallow);
else if (mode === 'echo') serve(echo);
else if (mode === 'source') source(Number(port), Number(durationMs));
else ping(Number(port), Number(durationMs));
