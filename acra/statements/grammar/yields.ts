/** What the queries of one statement yield, for the expressions that they stand in. */
import type { Node } from 'libpg-query';
import { type Column, isUnlisted } from './columns.ts';

export class Yields {
  readonly #columns = new WeakMap<Node, readonly Column[]>();
  /** Whether any of them has a column of a relation that nobody knows. */
  hasUnlisted = false;

  note(query: Node, columns: readonly Column[]): void {
    this.#columns.set(query, columns);
    this.hasUnlisted ||= columns.some(isUnlisted);
  }

  /** None where it has not been judged. */
  of(query: Node): readonly Column[] {
    return this.#columns.get(query) ?? [];
  }
}
