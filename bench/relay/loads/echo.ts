/** `echo.ts ENDPOINT` listens, prints where, and sends back what it gets, on any number of connections. */
import { Poller } from '../../../system/libc/poller.ts';
import { accept, close, recv, send } from '../../../system/libc/socket-calls.ts';
import { EPOLLIN, MSG_NOSIGNAL } from '../../../system/libc/socket-constants.ts';
import { listenAt, memory } from './sockets.ts';

const poller = new Poller<{ fd: number; serial: number }>();
const listener = { fd: listenAt(process.argv[2] ?? ''), serial: 0 };
poller.add(listener, EPOLLIN);
for (;;) {
  const count = poller.wait(-1);
  for (let index = 0; index < count; index++) {
    const target = poller.target(index);
    if (target === listener) poller.add({ fd: accept(listener.fd, null, null, 0), serial: 0 }, EPOLLIN);
    else if (target) {
      const got = recv(target.fd, memory.address, memory.bytes.length, 0);
      if (got > 0) send(target.fd, memory.address, got, MSG_NOSIGNAL);
      else {
        poller.forget(target);
        close(target.fd);
      }
    }
  }
}
