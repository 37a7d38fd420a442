/**
 * Daemons keep little and make garbage slowly: V8 would let the space for new objects of each thread grow to 16 MB, three times over, and never
 * give it back, most of it while programs are loaded. What is collected more often costs a daemon nothing that can be measured.
 *
 * And they load and make much at their start that they never use again. V8 collects when it needs room, which an idle daemon does not, and
 * the C library keeps what was freed.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ResourceLimits } from 'node:worker_threads';

/** Of this thread, from now on: to be called before the code that is to run is loaded. */
export function keepNewSpaceSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** Of a thread of ours. */
export const SMALL_THREAD: ResourceLimits = { maxYoungGenerationSizeMb: 2 };

type Collect = (options: {
  readonly type: 'major';
  readonly execution: 'sync';
  readonly flavor: 'last-resort';
}) => void;

/** A full collection of this thread, compiled code that nobody runs included: some 60 ms. For once, when a daemon has come up. */
export function collectAfterStart(): void {
  setFlagsFromString('--expose-gc');
  // V8 gives the function to contexts that are made from then on.
  const collect = runInNewContext('gc') as Collect;
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
