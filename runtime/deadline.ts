/** A signal that aborts at a deadline of the injected clock, or with its parent; disposing it leaves no timer behind. */
import type { Clock } from './clock.ts';

class DeadlinePassed extends Error {}

/** Without a reason of its own an abort makes a DOMException with its stack, which costs more than all else here. */
const DISPOSED = Symbol('disposed');

export class Deadline {
  /** Not AbortSignal.any: what that makes hangs on the parent until it is collected, and costs more than a whole round of the engine. */
  readonly #over = new AbortController();
  readonly #done = new AbortController();
  readonly #leaveParent: () => void;
  #hasPassed = false;

  /** @param reason what the signal aborts with when the time is up */
  constructor(
    clock: Clock,
    durationMs: number,
    parent?: AbortSignal,
    reason: () => unknown = () => new DeadlinePassed(`${durationMs} ms have passed`),
  ) {
    const follow = () => this.#over.abort(parent?.reason);
    if (parent?.aborted) follow();
    else parent?.addEventListener('abort', follow, { once: true });
    this.#leaveParent = () => parent?.removeEventListener('abort', follow);
    clock.sleep(durationMs, this.#done.signal).then(
      () => {
        this.#hasPassed = !this.signal.aborted;
        this.#over.abort(reason());
      },
      () => undefined,
    );
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  get hasPassed(): boolean {
    return this.#hasPassed;
  }

  [Symbol.dispose](): void {
    this.#leaveParent();
    this.#done.abort(DISPOSED);
  }
}
