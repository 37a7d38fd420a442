/**
 * One leg of a session, read message by message: first one at a time, while a login goes on, then all that has come at once. What
 * nobody has taken yet is bounded.
 */
import type { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { LONG_MESSAGE_BYTES, type Message, MessageReader } from '../postgres/message-reader.ts';
import { SessionError } from '../postgres/session-error.ts';
import { untilAborted } from '../runtime/abort.ts';
import type { HeldBytes } from './held-bytes.ts';

/** A leg is not read any further while more than this waits, beside one message that is not complete. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** What a message takes beside its bytes: of the shortest there would be 200,000 else. */
const MESSAGE_BYTES = 128;
/** Then other sessions have their turn: each may be a statement to be judged. */
const MAX_MESSAGES_A_TURN = 500;

function weightOf({ frame }: Message): number {
  return frame.length + MESSAGE_BYTES;
}

export class MessageStream {
  readonly socket: Duplex;
  readonly #reader: MessageReader;
  readonly #room: HeldBytes | undefined;
  #waiting: Message[] = [];
  #waitingBytes = 0;
  #fault: unknown;
  #hasEnded = false;
  #isDiscarding = false;
  #wake = () => {};

  /** @param options what becomes of longer messages: message-reader.ts; `room`: for long ones, shared with others */
  constructor(
    socket: Duplex,
    { room, ...options }: { readonly maxBytes: number; readonly ifLonger?: 'skip'; readonly room?: HeldBytes },
  ) {
    this.socket = socket;
    this.#room = room;
    const mayHold = (bytes: number) => room?.take(bytes) ?? true;
    this.#reader = new MessageReader({ isStartup: false, ...options, mayHold });
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
    if (!this.#isDiscarding) this.#room?.give(this.#reader.grantedBytes);
    this.#isDiscarding = true;
    this.#giveBack(this.#waiting);
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
        this.#release(weightOf(message));
        this.#giveBack([message]);
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
      const messages = this.#someWaiting();
      if (messages.length > 0) {
        try {
          await take(messages);
        } finally {
          this.#giveBack(messages);
        }
        if (this.#waiting.length > 0) await turn();
        continue;
      }
      this.#throwFault();
      if (this.#hasEnded) return;
      await this.#changed();
    }
  }

  #someWaiting(): readonly Message[] {
    const messages = this.#waiting.slice(0, MAX_MESSAGES_A_TURN);
    this.#waiting = this.#waiting.slice(messages.length);
    this.#release(messages.reduce((sum, message) => sum + weightOf(message), 0));
    return messages;
  }

  #take(chunk: Buffer): void {
    if (this.#isDiscarding) return;
    try {
      for (const message of this.#reader.push(chunk)) {
        this.#waiting.push(message);
        this.#waitingBytes += weightOf(message);
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

  /** Long ones were asked for (message-reader.ts). */
  #giveBack(messages: readonly Message[]): void {
    for (const { frame } of messages) if (frame.length > LONG_MESSAGE_BYTES) this.#room?.give(frame.length);
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
