/** Attacks at a rate: what is tried is what so many a second do, for so long. */
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** `ABUSE=long`: as long as the issue demands. Else seconds, which is what fits before a merge. */
export const IS_LONG: boolean = process.env['ABUSE'] === 'long';

/** How long a flood goes on. */
export const FLOOD_MS: number = IS_LONG ? 60_000 : 2_500;

const TURN_MS = 20;

/**
 * Begins attempts at a steady rate and waits for none of them: one that hangs is the peer's affair.
 * @param attempt must not throw; @returns how many were begun
 */
async function atRate(perSecond: number, forMs: number, attempt: (count: number) => void): Promise<number> {
  const beganMs = performance.now();
  let begun = 0;
  for (let passedMs = 0; passedMs < forMs; passedMs = performance.now() - beganMs) {
    for (const due = (passedMs * perSecond) / 1000; begun < due; begun += 1) attempt(begun);
    await sleep(TURN_MS);
  }
  return begun;
}

/** The same for as long as a flood lasts. @returns what to say of it */
export async function begun(perSecond: number, attempt: (count: number) => void): Promise<string> {
  return `${await atRate(perSecond, FLOOD_MS, attempt)} begun`;
}

/** Tries until it succeeds, or for so long. @returns ms, which are told */
export async function backAfter(maxMs: number, attempt: () => Promise<boolean>): Promise<number> {
  const beganMs = performance.now();
  while (!(await attempt()) && performance.now() - beganMs < maxMs) await sleep(TURN_MS);
  return Math.round(performance.now() - beganMs);
}

/** As often as it resolves to true, for so long. @returns how often */
export async function againAndAgain(forMs: number, attempt: () => Promise<boolean>): Promise<number> {
  const endMs = performance.now() + forMs;
  let count = 1;
  while ((await attempt()) && performance.now() < endMs) count += 1;
  return count;
}

export async function forAWhile(durationMs: number): Promise<void> {
  await sleep(durationMs);
}

/** Writes a byte a second for as long as the socket lets it. */
export function dripping(socket: Writable): void {
  drip(socket, () => Buffer.of(0), 1_000);
}

/** Writes these bytes one by one. */
export function dripped(socket: Writable, bytes: Buffer, everyMs: number): void {
  let at = 0;
  drip(socket, () => bytes.subarray(at, ++at), everyMs);
}

function drip(socket: Writable, next: () => Buffer, everyMs: number): void {
  const timer = setInterval(() => socket.write(next()), everyMs);
  socket.once('close', () => clearInterval(timer));
}
