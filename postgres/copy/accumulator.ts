/** Bytes that come in parts, however small, held as one: each is copied some two times, and none costs an object of its own. */

const EMPTY = Buffer.alloc(0);

export class Accumulator {
  #bytes: Buffer = EMPTY;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(part: Buffer): void {
    const needed = this.#length + part.length;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#length));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    part.copy(this.#bytes, this.#length);
    this.#length = needed;
  }

  /** All of it, with these bytes behind it; nothing is left. */
  take(last: Buffer = EMPTY): Buffer {
    if (this.#length === 0) return last;
    this.append(last);
    const all = this.#bytes.subarray(0, this.#length);
    this.#bytes = EMPTY;
    this.#length = 0;
    return all;
  }
}
