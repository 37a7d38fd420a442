/** Cuts the bytes of one direction into PostgreSQL messages: type, i32 length, body (PostgreSQL manual, "Message Formats"). */
import { SessionError } from './session-error.ts';

/** What a peer may make us hold; acra-server knows no limit (acra-server contract 0.4). */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
export const MAX_UNAUTHENTICATED_BYTES = 10 * 1024;

export interface Message {
  /** One character; empty for the startup message, which has no type. */
  readonly type: string;
  /** The whole message, header included. */
  readonly frame: Buffer;
  readonly body: Buffer;
}

export class MessageReader {
  maxBytes: number;
  #isStartup: boolean;
  #chunks: Buffer[] = [];
  #heldBytes = 0;
  #neededBytes = 0;

  constructor(options: { readonly isStartup: boolean; readonly maxBytes: number }) {
    this.#isStartup = options.isStartup;
    this.maxBytes = options.maxBytes;
  }

  /** Yields each message that is complete with this chunk. @throws SessionError 08P01 for a length out of bounds */
  *push(chunk: Buffer): Generator<Message> {
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes < this.#neededBytes) return;
    let rest = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    for (;;) {
      const typeBytes = this.#isStartup ? 0 : 1;
      this.#neededBytes = typeBytes + (rest.length < typeBytes + 4 ? 4 : this.#checked(rest.readUInt32BE(typeBytes)));
      if (rest.length < this.#neededBytes) break;
      const frame = rest.subarray(0, this.#neededBytes);
      rest = rest.subarray(this.#neededBytes);
      this.#isStartup = false;
      yield { type: frame.toString('latin1', 0, typeBytes), frame, body: frame.subarray(typeBytes + 4) };
    }
    this.#chunks = [rest];
    this.#heldBytes = rest.length;
  }

  #checked(length: number): number {
    if (length >= 4 && length <= this.maxBytes) return length;
    throw new SessionError('08P01', `message length ${length} is out of bounds, at most ${this.maxBytes} is allowed`);
  }
}
