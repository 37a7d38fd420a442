/** `set-up.ts ENDPOINT MS`: connections that ask for one byte and end, 16 at once; prints how many there were, and how many a second. */
import { Poller } from '../../../system/libc/poller.ts';
import { close, recv, send } from '../../../system/libc/socket-calls.ts';
import { EPOLLIN, MSG_NOSIGNAL } from '../../../system/libc/socket-constants.ts';
import { untilReleased, untilTold, WARM_UP_MS } from './begin.ts';
import { dial, memory } from './sockets.ts';

const AT_ONCE = 16;

const [endpoint = '', durationMs] = process.argv.slice(2);
const poller = new Poller<{ fd: number; serial: number }>();

function begin(): void {
  const target = { fd: dial(endpoint), serial: 0 };
  poller.add(target, EPOLLIN);
  send(target.fd, memory.address, 1, MSG_NOSIGNAL);
}

function run(untilMs: number): number {
  let done = 0;
  for (let open = 0; open < AT_ONCE; open++) begin();
  for (let open = AT_ONCE; open > 0; ) {
    const count = poller.wait(-1);
    for (let index = 0; index < count; index++) {
      const target = poller.target(index);
      if (!target) continue;
      if (recv(target.fd, memory.address, 1, 0) !== 1) throw new Error('the relay has ended a connection');
      poller.forget(target);
      close(target.fd);
      done += 1;
      if (performance.now() < untilMs) begin();
      else open -= 1;
    }
  }
  return done;
}

run(performance.now() + WARM_UP_MS);
untilTold();
const startedMs = performance.now();
const connections = run(startedMs + Number(durationMs));
console.log(JSON.stringify({ connections, perSecond: (connections * 1_000) / (performance.now() - startedMs) }));
untilReleased();
