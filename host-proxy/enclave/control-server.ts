/**
 * The parent's end of the control connection. The relay delivers connections from the enclave's CID to a private unix
 * socket; one enclave speaks at a time, and the newest connection wins (the enclave came back).
 */

import { once } from 'node:events';
import { rmSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { describeError } from '../../runtime/errors.ts';
import type { Service } from '../../runtime/service.ts';
import { listenAt } from '../../system/listen.ts';
import { encodeFrame, FrameReader } from '../../wire/control/frame.ts';
import type { EnclaveMessage, HostMessage } from '../../wire/control/messages.ts';
import { parseEnclaveMessage } from '../../wire/control/messages.ts';
import { WireError } from '../../wire/errors.ts';
import { HostProxyError } from '../errors.ts';
import type { LogSink } from '../logs/log-sink.ts';
import type { EnclaveView } from './view.ts';

export interface ControlServerDeps {
  readonly socketPath: string;
  readonly maxFrameBytes: number;
  readonly view: EnclaveView;
  readonly sink: LogSink;
}

export class ControlServer implements Service {
  readonly #deps: ControlServerDeps;
  readonly #server: Server;
  #socket: Socket | undefined;
  /** What the enclave sent last but no disk would take, until it does: then `seq` is acknowledged. */
  #unkept: { readonly lines: readonly string[]; readonly seq: number } | undefined;

  constructor(deps: ControlServerDeps) {
    this.#deps = deps;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** @throws HostProxyError HOST_CONTROL_BIND */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { socketPath } = this.#deps;
    rmSync(socketPath, { force: true });
    const failed = (cause: unknown) =>
      new HostProxyError('HOST_CONTROL_BIND', `cannot listen on ${socketPath}`, { cause });
    await listenAt(this.#server, { path: socketPath }, failed);
  }

  async stop(): Promise<void> {
    const socket = this.#socket;
    if (socket && !socket.closed) {
      socket.destroy();
      await once(socket, 'close');
    }
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** Asks the enclave for an ordered stop; false when none is connected. */
  requestStop(): boolean {
    return this.#send({ type: 'stop' });
  }

  /** Ends the connection of an enclave that is gone, so that nothing of it can be taken for the next one's. */
  disconnect(): void {
    this.#socket?.destroy();
  }

  #send(message: HostMessage): boolean {
    return this.#socket?.write(encodeFrame(message)) !== undefined;
  }

  #accept(socket: Socket): void {
    const { view, sink, maxFrameBytes } = this.#deps;
    this.#socket?.destroy();
    this.#socket = socket;
    this.#unkept = undefined; // Sent again over the new connection.
    const frames = new FrameReader(maxFrameBytes);
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const payload of frames.push(chunk)) this.#receive(parseEnclaveMessage(payload));
      } catch (error) {
        sink.log('warn', 'control.bad-message', { reason: describeError(error) });
        socket.destroy();
      }
    });
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      view.connected = false;
      sink.log('warn', 'control.disconnected', {});
      view.changed();
    });
    view.connected = true;
  }

  #receive(message: EnclaveMessage): void {
    const { view, sink } = this.#deps;
    view.heard();
    this.#rewrite();
    switch (message.type) {
      case 'hello':
        this.#greet(message);
        break;
      case 'logs':
        this.#keepLogs(message);
        break;
      case 'status':
        view.status = message.status;
        this.#send({ type: 'heard' });
        break;
      case 'measurements':
        view.measurements = message;
        break;
      case 'boot':
        view.boot = message.phases;
        break;
      case 'identities':
        view.identities = message;
        break;
      default:
        view.metrics = message;
    }
    if (message.type !== 'logs') view.changed();
    if (message.type === 'hello')
      sink.log('info', 'control.connected', { bootId: message.bootId, simulated: message.simulated });
  }

  /** A new boot starts from nothing: what an earlier one said is no longer true. */
  #greet(hello: Extract<EnclaveMessage, { type: 'hello' }>): void {
    const { view } = this.#deps;
    if (view.hello?.bootId !== hello.bootId) view.forgetBoot();
    view.hello = hello;
  }

  /**
   * Acknowledged only once written, so that a daemon that dies in between gets them again. The enclave sends no more until
   * then. @throws WireError WIRE_MESSAGE_INVALID
   */
  #keepLogs(message: Extract<EnclaveMessage, { type: 'logs' }>): void {
    const { view, sink } = this.#deps;
    if (this.#unkept) throw new WireError('WIRE_MESSAGE_INVALID', 'log records came before the last were acknowledged');
    const bootId = view.hello?.bootId ?? 'unknown';
    const lines = message.records.flatMap((record) => sink.enclaveRecord(bootId, record) ?? []);
    view.logs = { received: view.logs.received + message.records.length, dropped: message.dropped };
    const last = message.records.at(-1);
    if (last) this.#keepOrWait(lines, last.seq);
  }

  #keepOrWait(lines: readonly string[], seq: number): void {
    this.#unkept = lines.length === 0 ? undefined : { lines, seq };
    if (!this.#unkept) this.#send({ type: 'acknowledge', seq });
  }

  /** With each message, of which several come in a minute. */
  #rewrite(): void {
    if (!this.#unkept) return;
    const { lines, seq } = this.#unkept;
    const stuck = lines.findIndex((line) => !this.#deps.sink.rewrite(line));
    this.#keepOrWait(stuck === -1 ? [] : lines.slice(stuck), seq);
  }
}
