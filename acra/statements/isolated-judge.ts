/**
 * Judges statements one after the other in a thread that may break, run out of memory or not come to an end: only the
 * statement that was in it is refused then, and the next one gets a new thread. Without statements there is no thread.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import { type JudgeQuestion, type JudgeSettings, refusedBy, type Verdict } from './judge.ts';
import { tooComplex } from './parser.ts';

export interface IsolationLimits {
  /** From when a statement is given to the thread until its verdict. */
  readonly timeoutMs: number;
  /** The thread's own heap; the parser's memory comes on top and is bounded by WebAssembly's 2 GiB. */
  readonly heapMiB: number;
  /** After so much text the thread is ended, and with it the memory that its parser keeps. */
  readonly recycleAfterBytes: number;
}

const WORKER_URL = new URL('./judge-worker.ts', import.meta.url);

export class IsolatedJudge {
  readonly #data: JudgeSettings;
  readonly #clock: Clock;
  readonly #limits: IsolationLimits;
  /** The end of the queue. */
  #last: Promise<unknown> = Promise.resolve();
  #worker: Worker | undefined;
  #judgedBytes = 0;

  constructor(data: JudgeSettings, clock: Clock, limits: IsolationLimits) {
    this.#data = data;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Never rejects: what cannot be judged is refused (54001). */
  judge(question: JudgeQuestion): Promise<Verdict> {
    const verdict = this.#last.then(() => this.#next(question));
    this.#last = verdict;
    return verdict;
  }

  /** Statements that wait still get their verdict. */
  async stop(): Promise<void> {
    await this.#last;
    await this.#retire();
  }

  async #next(question: JudgeQuestion): Promise<Verdict> {
    const worker = this.#started();
    using deadline = new Deadline(this.#clock, this.#limits.timeoutMs);
    const gone = new AbortController();
    const onExit = () => gone.abort();
    worker.once('exit', onExit).ref();
    worker.postMessage(question);
    try {
      const [verdict] = await once(worker, 'message', { signal: AbortSignal.any([deadline.signal, gone.signal]) });
      this.#judgedBytes += question.sql.length;
      if (this.#judgedBytes >= this.#limits.recycleAfterBytes) await this.#retire();
      return verdict;
    } catch {
      await this.#retire();
      return refusedBy(tooComplex());
    } finally {
      worker.off('exit', onExit).unref();
    }
  }

  #started(): Worker {
    this.#worker ??= new Worker(WORKER_URL, {
      workerData: this.#data,
      execArgv: [],
      env: {},
      name: 'statements',
      resourceLimits: { maxOldGenerationSizeMb: this.#limits.heapMiB },
    }).on('error', () => undefined);
    return this.#worker;
  }

  async #retire(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#judgedBytes = 0;
    await worker?.terminate();
  }
}
