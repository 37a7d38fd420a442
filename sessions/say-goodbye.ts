/** Ends a connection in a way in which the other side can still read the last word; what it goes on sending nobody reads. */
import type { Duplex } from 'node:stream';
import type { Clock } from '../runtime/clock.ts';
import type { MessageStream } from './message-stream.ts';

const FAREWELL_MS = 2_000;

/** @param lastWord undefined: nothing */
export function sayGoodbye(socket: Duplex, lastWord: Buffer | undefined, clock: Clock): void {
  const closed = new AbortController();
  socket.once('close', () => closed.abort());
  socket.removeAllListeners('readable').on('data', () => undefined);
  if (lastWord) socket.end(lastWord);
  else socket.end();
  socket.resume();
  clock.sleep(FAREWELL_MS, closed.signal).then(
    () => socket.destroy(),
    () => undefined,
  );
}

/** What the leg still says is thrown away. */
export function leave(leg: MessageStream, clock: Clock): void {
  leg.discard();
  if (!leg.socket.destroyed) sayGoodbye(leg.socket, undefined, clock);
}
