/**
 * Work that goes on until it is told to stop: one promise, one signal, and no way to die in silence. When the work ends
 * with anything but the stop itself, its owner is told.
 */
import type { Clock } from './clock.ts';
import type { Service } from './service.ts';

export class BackgroundTask implements Service {
  readonly #work: (signal: AbortSignal) => Promise<void>;
  readonly #onFailure: (error: unknown) => void;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  /** @param onFailure told once, when the work ends by itself with an error. */
  constructor(work: (signal: AbortSignal) => Promise<void>, onFailure: (error: unknown) => void) {
    this.#work = work;
    this.#onFailure = onFailure;
  }

  /** Aborts when the task is told to stop. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#running = this.#work(this.signal).catch((error: unknown) => {
      if (!this.signal.aborted) this.#onFailure(error);
    });
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }
}

interface Repeated {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** As BackgroundTask has it: of what fails nothing is repeated. */
  readonly onFailure: (error: unknown) => void;
}

/** Does it again and again, the first time when the interval has passed. */
export function repeatedTask(run: () => void, { clock, intervalMs, onFailure }: Repeated): BackgroundTask {
  return new BackgroundTask(async (signal) => {
    for (;;) {
      await clock.sleep(intervalMs, signal);
      run();
    }
  }, onFailure);
}
