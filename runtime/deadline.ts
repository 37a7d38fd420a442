/** A signal that aborts at a deadline of the injected clock, or with its parent; disposing it leaves no timer behind. */
import type { Clock } from './clock.ts';

class DeadlinePassed extends Error {}

/** Without a reason of its own an abort makes a DOMException with its stack, which costs more than all else here. */
const DISPOSED = Symbol('disposed');

export class Deadline {
  readonly signal: AbortSignal;
  readonly #over = new AbortController();
  readonly #done = new AbortController();

  /** @param reason what the signal aborts with when the time is up */
  constructor(
    clock: Clock,
    durationMs: number,
    parent?: AbortSignal,
    reason: () => unknown = () => new DeadlinePassed(`${durationMs} ms have passed`),
  ) {
    this.signal = parent ? AbortSignal.any([parent, this.#over.signal]) : this.#over.signal;
    clock.sleep(durationMs, this.#done.signal).then(
      () => this.#over.abort(reason()),
      () => undefined,
    );
  }

  get hasPassed(): boolean {
    return this.#over.signal.aborted;
  }

  [Symbol.dispose](): void {
    this.#done.abort(DISPOSED);
  }
}
