/** Waits for a moment that a certificate names: looked at once a day, for the wall clock may be set meanwhile, and a timer has a longest time. */
import type { Clock } from '../runtime/clock.ts';

const DAY_MS = 24 * 3600 * 1000;

/** @throws the signal's reason */
export async function untilWallTime(atMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  for (let leftMs = atMs - clock.nowMs(); leftMs > 0; leftMs = atMs - clock.nowMs())
    await clock.sleep(Math.min(leftMs, DAY_MS), signal);
}
