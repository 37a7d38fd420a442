/**
 * Bytes that a socket did not take yet, in one piece, so that what came in small parts goes on in large ones. Grows as more is read
 * behind what waits, up to what the connection may hold. Specification: relay.md, must hold 2 and 13.
 */
import { NativeBuffer } from '../../system/libc/socket-calls.ts';

/** What is read behind it is joined without a new buffer for each few bytes. */
const MIN_GROWN_BYTES = 16 * 1024;

export class Pending {
  #memory: NativeBuffer;
  #from = 0;
  #to: number;

  /** @param bytes are copied */
  constructor(bytes: Buffer) {
    this.#memory = new NativeBuffer(bytes.length);
    bytes.copy(this.#memory.bytes);
    this.#to = bytes.length;
  }

  /** Of the first byte that waits; valid until the next call. */
  get address(): number {
    return this.#memory.address + this.#from;
  }

  /** Bytes that wait. */
  get length(): number {
    return this.#to - this.#from;
  }

  /** Memory that it holds. */
  get heldBytes(): number {
    return this.#memory.bytes.length;
  }

  /** So many were taken. */
  consume(bytes: number): void {
    this.#from += bytes;
  }

  /** Puts more behind them. @param maxBytes that it may hold, at least what waits and what comes */
  append(bytes: Buffer, maxBytes: number): void {
    if (this.#to + bytes.length > this.heldBytes) this.#makeRoom(bytes.length, maxBytes);
    bytes.copy(this.#memory.bytes, this.#to);
    this.#to += bytes.length;
  }

  #makeRoom(more: number, maxBytes: number): void {
    const waiting = this.#memory.bytes.subarray(this.#from, this.#to);
    const needed = waiting.length + more;
    if (needed <= this.heldBytes) waiting.copy(this.#memory.bytes);
    else {
      const grown = new NativeBuffer(Math.min(maxBytes, Math.max(MIN_GROWN_BYTES, 2 * needed)));
      waiting.copy(grown.bytes);
      this.#memory = grown;
    }
    this.#from = 0;
    this.#to = needed - more;
  }
}
