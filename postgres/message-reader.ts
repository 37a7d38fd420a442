/** Cuts the bytes of one direction into PostgreSQL messages: type, i32 length, body (PostgreSQL manual, "Message Formats"). */
import { SessionError } from './session-error.ts';

/** What a peer may make us hold; acra-server knows no limit (acra-server contract 0.4). */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
/** Shorter ones are nothing to ask for (`mayHold`). */
export const LONG_MESSAGE_BYTES: number = 64 * 1024;
export const MAX_UNAUTHENTICATED_BYTES = 10 * 1024;
/** PQ_LARGE_MESSAGE_LIMIT (PostgreSQL 18, src/include/libpq/libpq.h): MaxAllocSize. */
const MAX_POSTGRES_BYTES = 0x3fff_ffff;
const EMPTY = Buffer.alloc(0);
/** Chunks shorter than this are joined as they come: each Buffer costs more than a hundred bytes of its own. */
const MIN_CHUNK_BYTES = 16 * 1024;

export interface Message {
  /** One character; empty for the startup message, which has no type. */
  readonly type: string;
  /** The whole message, header included. */
  readonly frame: Buffer;
  readonly body: Buffer;
  /** Of a message that was thrown away as it came: its length. Frame and body are empty. */
  readonly skippedBytes?: number;
  /** Thrown away for want of room, not for its length. */
  readonly hadNoRoom?: true;
}

interface ReaderOptions {
  readonly isStartup: boolean;
  readonly maxBytes: number;
  /** What becomes of a longer message, as long as PostgreSQL would take it. Default: an error. */
  readonly ifLonger?: 'skip';
  /** Asked once of each message above LONG_MESSAGE_BYTES; where it says no, the message is skipped. */
  readonly mayHold?: (bytes: number) => boolean;
}

export class MessageReader {
  maxBytes: number;
  readonly #skipsLonger: boolean;
  readonly #mayHold: (bytes: number) => boolean;
  #grantedBytes = 0;
  #isStartup: boolean;
  #chunks: Buffer[] = [];
  #heldBytes = 0;
  #neededBytes = 0;
  /** Of a message that is being thrown away: what has not come yet. */
  #skipBytes = 0;

  constructor(options: ReaderOptions) {
    this.#isStartup = options.isStartup;
    this.#skipsLonger = options.ifLonger === 'skip';
    this.#mayHold = options.mayHold ?? (() => true);
    this.maxBytes = options.maxBytes;
  }

  /** What `mayHold` has allowed for a message that has not come to its end. */
  get grantedBytes(): number {
    return this.#grantedBytes;
  }

  /** Yields each message that is complete with this chunk. @throws SessionError 08P01 for a length out of bounds */
  *push(whole: Buffer): Generator<Message> {
    this.#hold(this.#skip(whole));
    if (this.#heldBytes < this.#neededBytes) return;
    const [only = EMPTY] = this.#chunks;
    let rest = this.#chunks.length === 1 ? only : Buffer.concat(this.#chunks);
    for (;;) {
      const typeBytes = this.#isStartup ? 0 : 1;
      this.#neededBytes = typeBytes + (rest.length < typeBytes + 4 ? 4 : this.#checked(rest.readUInt32BE(typeBytes)));
      const isTooLong = this.#neededBytes > typeBytes + this.maxBytes;
      if (isTooLong || !this.#hasRoom()) {
        yield {
          type: rest.toString('latin1', 0, typeBytes),
          frame: EMPTY,
          body: EMPTY,
          skippedBytes: this.#neededBytes,
          ...(isTooLong ? {} : { hadNoRoom: true }),
        };
        this.#skipBytes = this.#neededBytes;
        rest = this.#skip(rest);
        continue;
      }
      if (rest.length < this.#neededBytes) break;
      const frame = rest.subarray(0, this.#neededBytes);
      rest = rest.subarray(this.#neededBytes);
      this.#isStartup = false;
      this.#grantedBytes = 0;
      yield { type: frame.toString('latin1', 0, typeBytes), frame, body: frame.subarray(typeBytes + 4) };
    }
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#heldBytes = rest.length;
  }

  #hasRoom(): boolean {
    if (this.#neededBytes <= LONG_MESSAGE_BYTES || this.#grantedBytes > 0) return true;
    if (!this.#mayHold(this.#neededBytes)) return false;
    this.#grantedBytes = this.#neededBytes;
    return true;
  }

  /** Short neighbours are joined when the later one is no shorter, so that no byte is copied more than some fourteen times. */
  #hold(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#heldBytes += chunk.length;
    let last = chunk;
    for (;;) {
      const before = this.#chunks.at(-1);
      if (before === undefined || before.length > last.length || before.length + last.length > MIN_CHUNK_BYTES) break;
      this.#chunks.pop();
      last = Buffer.concat([before, last]);
    }
    this.#chunks.push(last);
  }

  /** @returns what does not belong to a message that is being thrown away */
  #skip(bytes: Buffer): Buffer {
    const skipped = Math.min(this.#skipBytes, bytes.length);
    this.#skipBytes -= skipped;
    return skipped === 0 ? bytes : bytes.subarray(skipped);
  }

  #checked(length: number): number {
    if (length >= 4 && (length <= this.maxBytes || (this.#skipsLonger && length <= MAX_POSTGRES_BYTES))) return length;
    throw new SessionError('08P01', `message length ${length} is out of bounds, at most ${this.maxBytes} is allowed`);
  }
}
