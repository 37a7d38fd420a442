/** Joins two streams, each way at the speed of its slower end; when one ends, so does the other. */
import type { Duplex } from 'node:stream';
import type { Clock } from '../../runtime/clock.ts';
import { sayGoodbye } from '../say-goodbye.ts';

/** What the other side has said may still be on its way, and a socket that closes over unread bytes would throw it away. */
function leave(socket: Duplex, clock: Clock): void {
  if (socket.destroyed) return;
  socket.resume().end(() => {
    if (!socket.destroyed) sayGoodbye(socket, undefined, clock);
  });
}

function flow(from: Duplex, to: Duplex, clock: Clock): void {
  from.on('data', (chunk: Buffer) => {
    if (!to.writable || to.write(chunk)) return;
    from.pause();
    to.once('drain', () => from.resume());
  });
  from.once('end', () => to.end());
  from.on('error', () => from.destroy());
  from.once('close', () => leave(to, clock));
  if (from.destroyed) leave(to, clock);
  from.resume();
}

export function join(a: Duplex, b: Duplex, clock: Clock): void {
  flow(a, b, clock);
  flow(b, a, clock);
}
