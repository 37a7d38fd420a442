/**
 * Daemons keep little and make garbage slowly: V8 would let the space for new objects of each thread grow to 16 MB, three times over, and never
 * give it back, most of it while programs are loaded. What is collected more often costs a daemon nothing that can be measured.
 */
import { setFlagsFromString } from 'node:v8';
import type { ResourceLimits } from 'node:worker_threads';

/** Of this thread, from now on: to be called before the code that is to run is loaded. */
export function keepNewSpaceSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** Of a thread of ours. */
export const SMALL_THREAD: ResourceLimits = { maxYoungGenerationSizeMb: 2 };
