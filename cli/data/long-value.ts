/** One value that is long, as it is sent or comes, in a Buffer that the next one takes over: none of them waits for a collection. */
import type { CellSink } from './long-cells.ts';

/** No enclave takes a message of more than 31 MiB (`ingress.limits.maxMessageBytes`), and each value is in one; a container has some more. */
const MAX_VALUE_BYTES = 32 * 1024 * 1024;
const EMPTY = Buffer.alloc(0);

export class LongValue implements CellSink {
  #memory = EMPTY;
  #length = 0;
  #at = 0;

  begin(bytes: number): void {
    this.#length = bytes;
    this.#at = 0;
    if (this.isTooLong || bytes <= this.#memory.length) return;
    this.#memory = EMPTY;
    // Not of a pool, and not filled: it is, before anybody reads it.
    this.#memory = Buffer.allocUnsafeSlow(bytes);
  }

  take(chunk: Buffer): void {
    if (!this.isTooLong) this.#at += chunk.copy(this.#memory, this.#at);
  }

  /** Of this one nothing was kept. */
  get isTooLong(): boolean {
    return this.#length > MAX_VALUE_BYTES;
  }

  /** Lent until the next one begins. */
  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#at);
  }

  clear(): void {
    this.#memory.fill(0);
    this.#length = 0;
    this.#at = 0;
  }
}

/** Whether what comes is what another has. */
export class Comparison implements CellSink {
  readonly #expected: Buffer;
  #at = 0;
  #isSame = false;

  constructor(expected: Buffer) {
    this.#expected = expected;
  }

  begin(bytes: number): void {
    this.#at = 0;
    this.#isSame = bytes === this.#expected.length;
  }

  take(chunk: Buffer): void {
    const end = this.#at + chunk.length;
    this.#isSame &&= this.#expected.subarray(this.#at, end).equals(chunk);
    this.#at = end;
  }

  get isSame(): boolean {
    return this.#isSame;
  }
}
