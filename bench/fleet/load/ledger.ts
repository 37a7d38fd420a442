/** What clients saw, in the order in which they saw it: each statement with its outcome, each session that was lost, each that did not begin. */

/** Of an INSERT: what its client knows of it. */
export type Outcome = 'acknowledged' | 'refused' | 'unknown';

export interface Written {
  readonly id: number;
  readonly outcome: Outcome;
  /** SQLSTATE, or what the connection ended with. */
  readonly reason?: string;
}

type Kind =
  /** A statement was answered, and the answer is the one that it must be. */
  | 'answered'
  /** It was answered, wrongly. */
  | 'wrong'
  /** It was answered by an error. */
  | 'failed'
  /** It was not answered. */
  | 'unknown'
  /** A session that its client had not ended. */
  | 'lost'
  /** A session that did not begin. */
  | 'not-begun';

export interface Entry {
  /** On the monotonic clock. */
  readonly atMs: number;
  readonly client: number;
  readonly kind: Kind;
  readonly reason?: string;
}

export class Ledger {
  readonly entries: Entry[] = [];
  readonly written: Written[] = [];
  /** By client, when each was answered last. */
  readonly lastAnswers = new Map<number, number>();

  add(client: number, kind: Kind, reason?: string): void {
    const atMs = performance.now();
    this.entries.push({ atMs, client, kind, ...(reason === undefined ? {} : { reason }) });
    if (kind === 'answered') this.lastAnswers.set(client, atMs);
  }
}
