/**
 * The portals of a session, and what the database has said of their rows. A portal keeps what described it. A statement's description
 * holds for every portal of it: a plan whose names or types change fails ("cached plan must not change result type"; PostgreSQL 18,
 * RevalidateCachedQuery), but where the statement is a FETCH or an EXECUTE, whose rows are another's.
 */
import type { ResultField } from '../../postgres/messages.ts';
import type { Prepared } from '../statements/plan.ts';
import type { Work } from './statement-watch.ts';

export interface Portal {
  readonly plan: Prepared | undefined;
  readonly resultFormats: readonly number[];
  /** What is counted of it. */
  readonly work: Work | undefined;
  described?: readonly ResultField[];
}

export class Portals {
  readonly #byName = new Map<string, Portal>();
  readonly #ofStatements = new WeakMap<Prepared, readonly ResultField[]>();

  bound(name: string, plan: Prepared | undefined, resultFormats: readonly number[], work?: Work): void {
    this.#byName.set(name, { plan, resultFormats, work });
  }

  get(name: string): Portal | undefined {
    return this.#byName.get(name);
  }

  clear(): void {
    this.#byName.clear();
  }

  /** A RowDescription of a statement came. */
  statementDescribed(plan: Prepared, fields: readonly ResultField[]): void {
    if (plan.fetches.length + plan.executes.length === 0) this.#ofStatements.set(plan, fields);
  }

  /** Undefined: the client has asked for no description, and the rows are read by what the statement says alone. */
  descriptionOf({ plan, described }: Portal): readonly ResultField[] | undefined {
    return described ?? (plan && this.#ofStatements.get(plan));
  }
}
