/** A load says when it is warm, and begins when it is told: what it costs the relay is measured between the two lines. */
import { readSync } from 'node:fs';

/** Of every load, through every relay: a daemon's code is compiled long since, which takes V8 some tenths of a second of load. */
export const WARM_UP_MS = 400;

export function untilTold(): void {
  console.log('warm');
  readSync(0, Buffer.alloc(1));
}

/** Keeps the connections until whoever measures has looked: a relay's processes end with them. */
export function untilReleased(): void {
  readSync(0, Buffer.alloc(1));
}
