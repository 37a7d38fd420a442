/**
 * Holds secret bytes in one Buffer outside the pool, and zeroes it when its owner is done.
 * The bytes are reachable only inside `use`, cannot be printed or serialised, and never become a string here.
 */
import { inspect } from 'node:util';
import { RuntimeError } from './runtime-errors.ts';

export class SecretBuffer {
  readonly #bytes: Buffer;
  #disposed = false;

  private constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Takes the bytes over: copies them into unpooled memory and zeroes the source. */
  static take(source: Buffer): SecretBuffer {
    const own = Buffer.allocUnsafeSlow(source.length);
    source.copy(own);
    source.fill(0);
    return new SecretBuffer(own);
  }

  get length(): number {
    return this.#bytes.length;
  }

  /**
   * Lends the bytes for the duration of the call. The borrower must not keep a reference or make a string of them.
   * @throws RuntimeError RUNTIME_SECRET_WIPED
   */
  use<Result>(borrow: (bytes: Buffer) => Result): Result {
    if (this.#disposed) throw new RuntimeError('RUNTIME_SECRET_WIPED', 'secret was used after it had been zeroed');
    return borrow(this.#bytes);
  }

  dispose(): void {
    this.#bytes.fill(0);
    this.#disposed = true;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  toJSON(): string {
    return '[secret]';
  }

  toString(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
