/**
 * The enclave's end of the control connection: dials the parent (through the relay, so that AF_VSOCK and the simulated
 * form look alike), sends log records, status and metrics, and comes back by itself when the parent's daemon restarts.
 * Logs go one batch at a time: the next leaves when the parent has acknowledged the last (log-buffer.ts). The status goes out
 * every few seconds and is answered; a connection on which nothing comes back leads nowhere, and is dialled anew.
 */

import type { Socket } from 'node:net';
import { createConnection } from 'node:net';
import { BackgroundTask } from '../../runtime/background-task.ts';
import { backoffMs } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import { describeError } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { Service } from '../../runtime/service.ts';
import { encodeFrame, FrameReader, MAX_ENCLAVE_FRAME_BYTES } from '../../wire/control/frame.ts';
import type { EnclaveMessage, EnclaveStatus, HostMessage } from '../../wire/control/messages.ts';
import { parseHostMessage } from '../../wire/control/messages.ts';
import type { LogBuffer } from './log-buffer.ts';

const RECONNECT = { minMs: 100, maxMs: 2_000 };
/** Well below the longest frame: what is around the records is small. */
const BATCH = { maxRecords: 200, maxBytes: MAX_ENCLAVE_FRAME_BYTES / 2 };
const STATUS_EVERY_MS = 5_000;
/** Three statuses without an answer. */
const MAX_SILENCE_MS = 15_000;
/** Acknowledgements and stop requests are tiny; anything longer is not ours. */
const MAX_HOST_FRAME_BYTES = 1024;

export interface ControlDeps {
  /** Unix socket of the relay route that leads to the parent's control port. */
  readonly socketPath: string;
  readonly hello: Extract<EnclaveMessage, { type: 'hello' }>;
  readonly logs: LogBuffer;
  /** For what the connection itself has to say. */
  readonly logger: Logger;
  readonly currentStatus: () => EnclaveStatus;
  readonly onStopRequest: () => void;
  /** The connection's loop itself broke. */
  readonly onFailure: (error: unknown) => void;
  readonly clock: Clock;
  readonly random: Random;
}

export class ControlConnection implements Service {
  readonly #deps: ControlDeps;
  readonly #task: BackgroundTask;
  #socket: Socket | undefined;
  #batchInFlight = false;
  #sticky = new Map<string, EnclaveMessage>();
  #onDrained: (() => void) | undefined;

  constructor(deps: ControlDeps) {
    this.#deps = deps;
    this.#task = new BackgroundTask((signal) => this.#run(signal), deps.onFailure);
  }

  /** Does not wait for the parent: a parent that does not listen must not keep the enclave from saying so later. */
  start(signal: AbortSignal): Promise<void> {
    return this.#task.start(signal);
  }

  async stop(): Promise<void> {
    const stopped = this.#task.stop();
    this.#socket?.destroy();
    await stopped;
  }

  /** Sends now if connected. Messages of a sticky type are sent again after every reconnection. */
  send(message: EnclaveMessage, options: { readonly sticky: boolean } = { sticky: false }): void {
    if (options.sticky) this.#sticky.set(message.type, message);
    this.#socket?.write(encodeFrame(message));
  }

  /** Sends waiting log records unless a batch is still unacknowledged. */
  pushLogs(): void {
    if (!this.#socket || this.#batchInFlight) return;
    const batch = this.#deps.logs.batch(BATCH);
    if (batch.records.length === 0) {
      this.#onDrained?.();
      return;
    }
    this.#batchInFlight = true;
    this.#socket.write(encodeFrame({ type: 'logs', records: [...batch.records], dropped: batch.dropped }));
  }

  /** Waits until the parent has acknowledged every record, at most until the signal aborts. */
  async flush(signal: AbortSignal): Promise<void> {
    if (this.#deps.logs.waiting === 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#onDrained = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
      this.pushLogs();
    });
    this.#onDrained = undefined;
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const served = await this.#serveOneConnection(signal);
      if (served) attempt = 0;
      await this.#deps.clock.sleep(backoffMs(RECONNECT, attempt, this.#deps.random), signal);
    }
  }

  /** Resolves when the connection has ended; true when it had come so far that the parent acknowledged something. */
  #serveOneConnection(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = createConnection({ path: this.#deps.socketPath, signal });
      const frames = new FrameReader(MAX_HOST_FRAME_BYTES);
      const closed = new AbortController();
      let acknowledged = false;
      let heardMs = this.#deps.clock.monotonicMs();
      socket.once('connect', () => {
        this.#opened(socket);
        this.#tellUntilSilent(socket, () => heardMs, closed.signal);
      });
      socket.on('data', (chunk: Buffer) => {
        try {
          for (const payload of frames.push(chunk)) {
            acknowledged = true;
            heardMs = this.#deps.clock.monotonicMs();
            this.#receive(parseHostMessage(payload));
          }
        } catch (error) {
          this.#deps.logger.log('warn', 'control.bad-message', { reason: describeError(error) });
          socket.destroy();
        }
      });
      socket.on('error', () => socket.destroy());
      socket.once('close', () => {
        if (this.#socket === socket) this.#socket = undefined;
        this.#batchInFlight = false;
        closed.abort();
        resolve(acknowledged);
      });
    });
  }

  /** Ends the connection when the parent has not answered for too long. */
  async #tellUntilSilent(socket: Socket, heardMs: () => number, closed: AbortSignal): Promise<void> {
    const { clock, logger, currentStatus } = this.#deps;
    while (clock.monotonicMs() - heardMs() < MAX_SILENCE_MS) {
      const slept = await clock.sleep(STATUS_EVERY_MS, closed).then(
        () => true,
        () => false,
      );
      if (!slept) return;
      socket.write(encodeFrame({ type: 'status', status: currentStatus() }));
    }
    logger.log('warn', 'control.silent', { maxSilenceMs: MAX_SILENCE_MS });
    socket.destroy();
  }

  #opened(socket: Socket): void {
    this.#socket = socket;
    socket.write(encodeFrame(this.#deps.hello));
    socket.write(encodeFrame({ type: 'status', status: this.#deps.currentStatus() }));
    for (const message of this.#sticky.values()) socket.write(encodeFrame(message));
    this.pushLogs();
  }

  #receive(message: HostMessage): void {
    if (message.type === 'stop') {
      this.#deps.onStopRequest();
      return;
    }
    if (message.type === 'heard') return;
    this.#deps.logs.acknowledge(message.seq);
    this.#batchInFlight = false;
    this.pushLogs();
  }
}
