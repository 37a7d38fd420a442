/** One identity's keys, and those of before for as long as it may have to go back to them. It zeroes what it does not need any more. */
import { RuntimeError } from '../../../runtime/runtime-errors.ts';
import type { OwnKeys } from './own-keys.ts';

export class ExchangedKeys implements Disposable {
  #now: OwnKeys | undefined;
  #before: OwnKeys | undefined;

  /** What the next process is launched with. @throws RuntimeError RUNTIME_SECRET_WIPED before there are any */
  get now(): OwnKeys {
    if (this.#now) return this.#now;
    throw new RuntimeError('RUNTIME_SECRET_WIPED', 'an identity has no keys');
  }

  take(next: OwnKeys): void {
    this.settle();
    this.#before = this.#now;
    this.#now = next;
  }

  /** Nobody goes back. */
  settle(): void {
    this.#before?.[Symbol.dispose]();
    this.#before = undefined;
  }

  /** @returns those that are left, which the caller disposes of; undefined where there is nothing to go back to */
  goBack(): OwnKeys | undefined {
    if (!this.#before) return undefined;
    const left = this.#now;
    this.#now = this.#before;
    this.#before = undefined;
    return left;
  }

  [Symbol.dispose](): void {
    this.settle();
    this.#now?.[Symbol.dispose]();
  }
}
