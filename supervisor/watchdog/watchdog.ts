/**
 * Ends the enclave when the supervisor's thread is held. What revokes an enclave, the lease, runs on that thread, and so do the stop that
 * the parent asks for and the supervision of programs that have keys: whoever found a way to keep it busy would keep a revoked enclave
 * serving. A thread of its own looks whether the event loop still turns, and needs nothing of it.
 *
 *   event loop ──a beat a second──▶ shared number ──looked at every few seconds──▶ watching.ts: LOOKS without a beat ─▶ the end
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Service } from '../../runtime/service.ts';
import { SMALL_THREAD } from '../../runtime/small-heap.ts';
import { nodeChildEnvironment } from '../../system/processes/node-child.ts';
import { BEATS, STOPPED, type WatchdogData, type WatchdogTimes } from './shared-numbers.ts';

const WORKER_URL = new URL('./watching.ts', import.meta.url);

/** A minute: no work of the supervisor takes a second at once, and software emulation on a busy machine is slow. */
const TIMES: WatchdogTimes = { beatMs: 1_000, lookMs: 5_000, looks: 12 };

export class Watchdog implements Service {
  readonly #times: WatchdogTimes;
  readonly #numbers = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  #beat: NodeJS.Timeout | undefined;
  #worker: Worker | undefined;

  constructor(times = TIMES) {
    this.#times = times;
  }

  /** Resolves when the thread watches. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const workerData: WatchdogData = { ...this.#times, shared: this.#numbers.buffer as SharedArrayBuffer };
    this.#worker = new Worker(WORKER_URL, {
      workerData,
      execArgv: [],
      resourceLimits: SMALL_THREAD,
      env: nodeChildEnvironment(),
      name: 'watchdog',
    });
    await once(this.#worker, 'message', { signal });
    this.#worker.unref();
    this.#beat = setInterval(() => Atomics.add(this.#numbers, BEATS, 1), this.#times.beatMs).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#beat);
    Atomics.store(this.#numbers, STOPPED, 1);
    Atomics.notify(this.#numbers, STOPPED);
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker === undefined) return;
    const exited = once(worker, 'exit');
    worker.ref();
    await exited;
  }
}

/** Runs a supervisor, or whatever else must not be held, beside a watchdog. */
export async function watched<Result>(run: () => Promise<Result>): Promise<Result> {
  const watchdog = new Watchdog();
  await watchdog.start(new AbortController().signal);
  try {
    return await run();
  } finally {
    await watchdog.stop();
  }
}
