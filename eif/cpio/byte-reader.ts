/** Takes exact numbers of bytes from a stream of pieces, and knows where it is. Holds one piece at a time. */
import { CpioError } from '../errors.ts';
import type { ByteSource } from '../format/writer.ts';

async function* toAsync(source: ByteSource): AsyncGenerator<Uint8Array, void> {
  yield* source;
}

export class ByteReader {
  readonly #pieces: AsyncGenerator<Uint8Array, void>;
  readonly #maxBytes: number;
  #piece: Uint8Array = new Uint8Array(0);
  #offset = 0;

  constructor(source: ByteSource, maxBytes: number) {
    this.#pieces = toAsync(source);
    this.#maxBytes = maxBytes;
  }

  /** Bytes taken so far. */
  get offset(): number {
    return this.#offset;
  }

  async close(): Promise<void> {
    await this.#pieces.return();
  }

  /** Hands out what is at hand, at least 1 and at most `max` bytes; undefined at the end. Valid until the next call. */
  async #next(max: number): Promise<Uint8Array | undefined> {
    while (this.#piece.length === 0) {
      const { done, value } = await this.#pieces.next();
      if (done === true) return undefined;
      this.#piece = value;
    }
    const out = this.#piece.subarray(0, max);
    this.#piece = this.#piece.subarray(out.length);
    this.#offset += out.length;
    if (this.#offset > this.#maxBytes) {
      throw new CpioError('CPIO_TOO_LARGE', 'the archive is too large', { allowed: `at most ${this.#maxBytes} bytes` });
    }
    return out;
  }

  /** @throws CpioError CPIO_TRUNCATED */
  async forEach(length: number, visit: (chunk: Uint8Array) => void): Promise<void> {
    let left = length;
    while (left > 0) {
      const chunk = await this.#next(left);
      if (chunk === undefined) {
        throw new CpioError('CPIO_TRUNCATED', 'the archive ends early', {
          offset: this.#offset,
          allowed: `${left} more bytes`,
        });
      }
      visit(chunk);
      left -= chunk.length;
    }
  }

  /** A copy of the next `length` bytes; the caller has bounded them. @throws CpioError CPIO_TRUNCATED */
  async take(length: number): Promise<Buffer> {
    const out = Buffer.alloc(length);
    let filled = 0;
    await this.forEach(length, (chunk) => {
      out.set(chunk, filled);
      filled += chunk.length;
    });
    return out;
  }

  /** @throws CpioError CPIO_TRUNCATED, CPIO_PADDING */
  async expectZeros(length: number): Promise<void> {
    const offset = this.#offset;
    const bytes = await this.take(length);
    if (bytes.some((byte) => byte !== 0)) throw new CpioError('CPIO_PADDING', 'padding is not zero', { offset });
  }

  /** @throws CpioError CPIO_TRAILING_BYTES */
  async expectZerosToEnd(): Promise<void> {
    for (;;) {
      const offset = this.#offset;
      const chunk = await this.#next(Number.POSITIVE_INFINITY);
      if (chunk === undefined) return;
      if (chunk.some((byte) => byte !== 0)) {
        throw new CpioError('CPIO_TRAILING_BYTES', 'bytes after the trailer', { offset });
      }
    }
  }
}
