/**
 * One leg of a session, read message by message: first one at a time, while a login goes on, then all that has come at once. What
 * nobody has taken yet is bounded.
 */
import type { Duplex } from 'node:stream';
import { type Message, MessageReader } from '../postgres/message-reader.ts';
import { SessionError } from '../postgres/session-error.ts';
import { untilAborted } from '../runtime/abort.ts';

/** A leg is not read any further while more than this waits, beside one message that is not complete. */
const MAX_WAITING_BYTES = 1024 * 1024;

export class MessageStream {
  readonly socket: Duplex;
  readonly #reader: MessageReader;
  #waiting: Message[] = [];
  #waitingBytes = 0;
  #fault: unknown;
  #hasEnded = false;
  #isDiscarding = false;
  #wake = () => {};

  /** @param maxBytes of a message; a longer one is an error, or skipped (message-reader.ts) */
  constructor(socket: Duplex, options: { readonly maxBytes: number; readonly ifLonger?: 'skip' }) {
    this.socket = socket;
    this.#reader = new MessageReader({ isStartup: false, ...options });
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    const end = () => {
      this.#hasEnded = true;
      this.#wake();
    };
    socket.on('error', end).once('end', end).once('close', end);
    socket.resume();
  }

  /** Whatever still comes is thrown away unread. */
  discard(): void {
    this.#isDiscarding = true;
    this.#waiting = [];
    this.socket.resume();
  }

  set maxBytes(maxBytes: number) {
    this.#reader.maxBytes = maxBytes;
  }

  /** @throws SessionError 08006 when the leg ends first, 08P01 for what is no message; the signal's reason */
  async next(signal: AbortSignal): Promise<Message> {
    for (;;) {
      const message = this.#waiting.shift();
      if (message) {
        this.#release(message.frame.length);
        return message;
      }
      this.#throwFault();
      if (this.#hasEnded) throw new SessionError('08006', 'the connection ended');
      await untilAborted(this.#changed(), signal);
    }
  }

  /** Hands over what has come, in order, as often as something has. Resolves when the leg ends. @throws as `next`, and what `take` throws */
  async each(take: (messages: readonly Message[]) => Promise<void>): Promise<void> {
    for (;;) {
      const messages = this.#waiting;
      if (messages.length > 0) {
        this.#waiting = [];
        this.#release(this.#waitingBytes);
        await take(messages);
        continue;
      }
      this.#throwFault();
      if (this.#hasEnded) return;
      await this.#changed();
    }
  }

  #take(chunk: Buffer): void {
    if (this.#isDiscarding) return;
    try {
      for (const message of this.#reader.push(chunk)) {
        this.#waiting.push(message);
        this.#waitingBytes += message.frame.length;
      }
    } catch (error) {
      this.#fault = error;
      this.socket.pause();
    }
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.socket.pause();
    this.#wake();
  }

  #release(bytes: number): void {
    this.#waitingBytes -= bytes;
    if (this.socket.isPaused() && this.#fault === undefined && this.#waitingBytes <= MAX_WAITING_BYTES)
      this.socket.resume();
  }

  #throwFault(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
