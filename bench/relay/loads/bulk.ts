/**
 * As many bytes as go through, one way or both on one connection.
 *
 *   bulk.ts peer ENDPOINT         listens, prints where; swallows connections one after the other, and sends where the first byte asks for it
 *   bulk.ts one-way ENDPOINT MS   sends; prints Gbit/s and GiB
 *   bulk.ts both-ways ENDPOINT MS sends and swallows; prints the sum of both ways
 */
import { EAGAIN } from '../../../system/libc/errno.ts';
import { Poller } from '../../../system/libc/poller.ts';
import { accept, close, recv, send } from '../../../system/libc/socket-calls.ts';
import { EPOLLIN, EPOLLOUT, MSG_NOSIGNAL } from '../../../system/libc/socket-constants.ts';
import { receiveInto } from '../../../system/libc/sockets.ts';
import { untilReleased, untilTold, WARM_UP_MS } from './begin.ts';
import { dial, listenAt, MSG_DONTWAIT, memory } from './sockets.ts';

const BOTH_WAYS = 0x32;
const FULL = memory.bytes.length;

/** Sends and receives whatever goes, until the other ends or `goOn` is over. @param goOn asked after each turn, with the bytes of both ways so far */
function exchange(fd: number, goOn: (bytes: number) => boolean): void {
  const poller = new Poller<{ fd: number; serial: number }>();
  poller.add({ fd, serial: 0 }, EPOLLIN | EPOLLOUT);
  for (let bytes = 0; goOn(bytes); ) {
    poller.wait(-1);
    const got = receiveInto(fd, memory.address, FULL, MSG_DONTWAIT);
    if (got === 0 || (got < 0 && got !== -EAGAIN)) break;
    bytes += Math.max(0, got) + Math.max(0, send(fd, memory.address, FULL, MSG_NOSIGNAL | MSG_DONTWAIT));
  }
  poller.close();
}

function serve(endpoint: string): never {
  const listener = listenAt(endpoint);
  for (;;) {
    const fd = accept(listener, null, null, 0);
    let got = recv(fd, memory.address, 1, 0);
    if (memory.bytes[0] === BOTH_WAYS) exchange(fd, () => true);
    else while (got > 0) got = recv(fd, memory.address, FULL, 0);
    close(fd);
  }
}

function tell(bytes: number, tookMs: number): void {
  console.log(JSON.stringify({ gigabits: (bytes * 8) / 1e6 / tookMs, gibibytes: bytes / 2 ** 30 }));
}

function oneWay(fd: number, durationMs: number): void {
  const put = (untilMs: number) => {
    let total = 0;
    while (performance.now() < untilMs) total += send(fd, memory.address, FULL, MSG_NOSIGNAL);
    return total;
  };
  put(performance.now() + WARM_UP_MS);
  untilTold();
  const startedMs = performance.now();
  const bytes = put(startedMs + durationMs);
  tell(bytes, performance.now() - startedMs);
}

function bothWays(fd: number, durationMs: number): void {
  const warmMs = performance.now() + WARM_UP_MS;
  exchange(fd, () => performance.now() < warmMs);
  untilTold();
  const startedMs = performance.now();
  let total = 0;
  exchange(fd, (bytes) => {
    total = bytes;
    return performance.now() < startedMs + durationMs;
  });
  tell(total, performance.now() - startedMs);
}

const [mode, endpoint = '', durationMs] = process.argv.slice(2);
if (mode === 'peer') serve(endpoint);
const fd = dial(endpoint);
memory.bytes[0] = mode === 'both-ways' ? BOTH_WAYS : 0;
send(fd, memory.address, 1, MSG_NOSIGNAL);
if (mode === 'both-ways') bothWays(fd, Number(durationMs));
else oneWay(fd, Number(durationMs));
untilReleased();
