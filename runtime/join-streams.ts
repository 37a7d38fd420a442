/**
 * Two streams made one: what either reads the other writes, at the pace of whoever writes slower. The end of one direction is carried through
 * while the other goes on; a side that breaks takes the other with it, after what had come from it.
 */
import type { Duplex } from 'node:stream';

/** Resolves when both are closed. Both must be half-open (`allowHalfOpen`). */
export function joinStreams(one: Duplex, other: Duplex): Promise<void> {
  const closed = [follow(one, other), follow(other, one)];
  one.pipe(other);
  other.pipe(one);
  return Promise.all(closed).then(() => undefined);
}

/** Resolves when `leader` is closed; then the other has no further use than to write what is left. */
function follow(leader: Duplex, other: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const onClose = () => {
      resolve();
      if (!leader.readableEnded) other.destroy();
      else if (other.writableFinished || other.destroyed) other.destroy();
      else other.once('finish', () => other.destroy());
    };
    leader.on('error', () => leader.destroy());
    if (leader.closed) onClose();
    else leader.once('close', onClose);
  });
}
