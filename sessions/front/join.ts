/** Joins two streams, each way at the speed of its slower end; when one ends, so does the other. */
import type { Duplex } from 'node:stream';

function flow(from: Duplex, to: Duplex): void {
  from.on('data', (chunk: Buffer) => {
    if (to.destroyed || to.write(chunk)) return;
    from.pause();
    to.once('drain', () => from.resume());
  });
  from.once('end', () => to.end());
  from.on('error', () => from.destroy());
  // What it has said may still be on its way to the other side.
  from.once('close', () => (to.writableLength > 0 && !to.destroyed ? to.end() : to.destroy()));
  if (from.destroyed) to.destroy();
  from.resume();
}

export function join(a: Duplex, b: Duplex): void {
  flow(a, b);
  flow(b, a);
}
