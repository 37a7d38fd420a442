/**
 * Counts what a database returns that its statement does not account for, and tells the log at most once a minute of each kind: how much,
 * and never what.
 */
import type { Contradiction } from '../../acra/conversation/contradiction.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { LogFields, Logger } from '../../runtime/log.ts';

const QUIET_MS = 60_000;

interface Tally {
  count: number;
  /** Of these in the log. */
  told: number;
  nextMs: number;
}

const tally = (): Tally => ({ count: 0, told: 0, nextMs: Number.NEGATIVE_INFINITY });

export class ResultWatch {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #elsewhere = tally();
  readonly #contradicted = tally();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Containers in cells that no statement calls protected, since this guard was launched. */
  get containersElsewhere(): number {
    return this.#elsewhere.count;
  }

  /** Cells of protected columns that were left as they are stored, because the row description spoke against it. */
  get contradictedCells(): number {
    return this.#contradicted.count;
  }

  elsewhere(containers: number): void {
    this.#add(this.#elsewhere, containers, 'guard.container-elsewhere');
  }

  contradicted(reason: Contradiction, cells: number): void {
    this.#add(this.#contradicted, cells, 'guard.result-contradicted', { reason });
  }

  #add(what: Tally, count: number, event: `guard.${string}`, fields: LogFields = {}): void {
    what.count += count;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < what.nextMs) return;
    this.#logger.log('warn', event, { ...fields, count: what.count - what.told });
    what.told = what.count;
    what.nextMs = nowMs + QUIET_MS;
  }
}
