/** `idle.ts ENDPOINT`: for each number on stdin opens so many more connections, has a byte come back on each, keeps them all, and prints `open`. */
import { createInterface } from 'node:readline';
import { recv, send } from '../../../system/libc/socket-calls.ts';
import { MSG_NOSIGNAL } from '../../../system/libc/socket-constants.ts';
import { dial, memory } from './sockets.ts';

createInterface({ input: process.stdin }).on('line', (count) => {
  for (let left = Number(count); left > 0; left--) {
    const fd = dial(process.argv[2] ?? '');
    send(fd, memory.address, 1, MSG_NOSIGNAL);
    if (recv(fd, memory.address, 1, 0) !== 1) throw new Error('the relay has ended a connection');
  }
  console.log('open');
});
