/**
 * What the clients of one identity make its guard hold at once: messages that are long, each from its first bytes until what becomes of
 * it is sent on. One client's limit for a message does not bound what two hundred send together.
 */

export class HeldBytes {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @returns whether there was room for so many more; then they are held */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}
