/** Waiting without the event loop, for code that must be done when the call returns. Holds the whole thread: for moments only. */

export function pauseThread(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, durationMs);
}
