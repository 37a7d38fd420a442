/**
 * How rows are walked among which there may be one that cannot be read: in pages, until one fails; then row by row as far as that page may
 * have gone; and past the one that fails by itself, which is named. One that is longer than the enclave passes on costs the session
 * (08P01), so that what is known of it is kept here.
 */
import { sqlStateOf } from './failures.ts';

/** Of a message that is longer than the enclave takes from the database, above all. */
export const PROTOCOL_VIOLATION = '08P01';

/** What the enclave ends the session over, and does again over the same row. */
export const endsSession = (error: unknown): boolean => sqlStateOf(error) === PROTOCOL_VIOLATION;

export class Caution<Way> {
  readonly #ways: readonly [Way, ...Way[]];
  #at = 0;
  #rowsLeft = 0;

  /** @param ways pages, rows, and what is tried with a row that fails */
  constructor(ways: readonly [Way, ...Way[]]) {
    this.#ways = ways;
  }

  get way(): Way {
    return this.#ways[this.#at] ?? this.#ways[0];
  }

  /** @param rows that the page may have had @returns whether there is another way */
  failed(rows: number): boolean {
    if (this.#at === this.#ways.length - 1) return false;
    if (this.#at === 0) this.#rowsLeft = rows;
    this.#at += 1;
    return true;
  }

  /** A page, or a row. */
  passed(): void {
    if (this.#at === 0) return;
    this.#rowsLeft -= 1;
    this.#at = this.#rowsLeft > 0 ? 1 : 0;
  }
}
