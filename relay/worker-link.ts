/**
 * The main thread's end of the worker: starts it, sends it commands, notices its death.
 *
 * The worker blocks in epoll_wait and is woken by an eventfd. Only this side closes that descriptor, after the worker has
 * ended, so that a late wake-up can never hit a descriptor that means something else by then. A process that exits must end the
 * worker first, hence the hook on `exit`: Node would wait for the thread for ever, and the socket files would stay.
 */
import { closeSync, writeSync } from 'node:fs';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { SMALL_THREAD } from '../runtime/small-heap.ts';
import { nodeChildEnvironment } from '../system/processes/node-child.ts';
import { RelayError } from './errors.ts';
import type { AddressAnswer } from './worker/address-book.ts';
import type { Answers, Command, FromWorker, ToWorker, WorkerData } from './worker/protocol.ts';
import { EXIT_REQUESTED } from './worker/protocol.ts';
import type { WorkerRecord } from './worker/worker-log.ts';

/** The one place that names the worker's file; a bundler has to keep the two together. */
const WORKER_URL = new URL('./worker/main.ts', import.meta.url);

export interface WorkerEvents {
  onRecord(record: WorkerRecord): void;
  onResolve(host: string): void;
  /** The thread has ended. `cause`: what it threw, if it did. */
  onExit(cause: unknown): void;
}

interface Waiter {
  readonly resolve: (value: never) => void;
  readonly reject: (error: RelayError) => void;
}

/** How long a process that exits waits for the worker's cleaning up. */
const EXIT_WAIT_MS = 500;
/** The same while the worker starts, which on a busy machine takes seconds. */
const EXIT_WAIT_STARTING_MS = 15_000;

const WAKE = Buffer.from(new BigUint64Array([1n]).buffer);

/**
 * The compile cache spares the worker the type stripper: 20 MB of memory and half of its start-up time.
 * @throws RelayError RELAY_START_FAILED
 */
function startThread(workerData: WorkerData): Worker {
  try {
    const transferList = [workerData.port];
    return new Worker(WORKER_URL, {
      workerData,
      transferList,
      execArgv: [],
      resourceLimits: SMALL_THREAD,
      env: nodeChildEnvironment(),
      name: 'relay',
    });
  } catch (cause) {
    throw new RelayError('RELAY_START_FAILED', 'no worker thread can be started', { cause });
  }
}

export class WorkerLink {
  readonly #events: WorkerEvents;
  readonly #worker: Worker;
  readonly #channel = new MessageChannel();
  readonly #exitFlag = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  readonly #waiters = new Map<number, Waiter>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #exited = Promise.withResolvers<void>();
  readonly #endWithProcess = () => {
    const flag = new Int32Array(this.#exitFlag);
    Atomics.store(flag, 0, EXIT_REQUESTED);
    // Its descriptor may have been told already, though not delivered.
    if (this.#wakeFd < 0) this.#receiveAll();
    this.#wake();
    // One that is still starting sees the flag when it has started: ended while it loads native code, it would take the process with it (SIGABRT).
    Atomics.wait(flag, 0, EXIT_REQUESTED, this.#wakeFd < 0 ? EXIT_WAIT_STARTING_MS : EXIT_WAIT_MS);
  };
  #wakeFd = -1;
  #lastId = 0;
  #failure: unknown;

  /** @throws RelayError RELAY_START_FAILED */
  constructor(events: WorkerEvents, isTracing: boolean) {
    this.#events = events;
    const { port1, port2 } = this.#channel;
    this.#worker = startThread({ port: port2, exitFlag: this.#exitFlag, isTracing });
    this.#worker.once('error', (error) => {
      this.#failure = error;
    });
    this.#worker.once('exit', () => this.#onExit());
    port1.on('message', (message: FromWorker) => this.#receive(message));
    process.once('exit', this.#endWithProcess);
  }

  /** Resolves when the worker takes commands. @throws RelayError RELAY_START_FAILED */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Resolves when the thread has ended and nothing of it is left. */
  get exited(): Promise<void> {
    return this.#exited.promise;
  }

  /** @throws RelayError what the worker answers, or RELAY_WORKER_DIED */
  request<Kind extends Command['kind']>(command: Extract<Command, { kind: Kind }>): Promise<Answers[Kind]> {
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Answers[Kind]>();
    this.#send({ kind: 'command', id, command });
    this.#waiters.set(id, { resolve, reject });
    return promise;
  }

  sendAddresses(host: string, answer: AddressAnswer): void {
    this.#send({ kind: 'addresses', host, answer });
  }

  #send(message: ToWorker): void {
    this.#channel.port1.postMessage(message);
    this.#wake();
  }

  #wake(): void {
    if (this.#wakeFd >= 0) writeSync(this.#wakeFd, WAKE);
  }

  /** Delivers what waits on the port, without the event loop. */
  #receiveAll(): void {
    const { port1 } = this.#channel;
    for (let next = receiveMessageOnPort(port1); next !== undefined; next = receiveMessageOnPort(port1)) {
      this.#receive(next.message as FromWorker);
    }
  }

  #receive(message: FromWorker): void {
    switch (message.kind) {
      case 'ready':
        this.#wakeFd = message.wakeFd;
        // For what was sent before it was known.
        this.#wake();
        this.#ready.resolve();
        return;
      case 'log':
        this.#events.onRecord(message.record);
        return;
      case 'resolve':
        this.#events.onResolve(message.host);
        return;
      case 'done':
        this.#take(message.id)?.resolve(message.value as never);
        return;
      case 'failed': {
        const { code, message: text, found, allowed } = message.failure;
        const details = { ...(found !== undefined && { found }), ...(allowed !== undefined && { allowed }) };
        this.#take(message.id)?.reject(new RelayError(code, text, details));
        return;
      }
    }
  }

  #take(id: number): Waiter | undefined {
    const waiter = this.#waiters.get(id);
    this.#waiters.delete(id);
    return waiter;
  }

  #onExit(): void {
    process.removeListener('exit', this.#endWithProcess);
    if (this.#wakeFd >= 0) closeSync(this.#wakeFd);
    this.#wakeFd = -1;
    const cause = this.#failure;
    // What the worker said last may not have been delivered yet.
    this.#receiveAll();
    this.#ready.reject(new RelayError('RELAY_START_FAILED', 'the worker ended before it was ready', { cause }));
    for (const { reject } of this.#waiters.values()) {
      reject(new RelayError('RELAY_WORKER_DIED', 'the worker ended before it answered', { cause }));
    }
    this.#waiters.clear();
    this.#channel.port1.close();
    this.#events.onExit(cause);
    this.#exited.resolve();
  }
}
