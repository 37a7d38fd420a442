/** What is logged of single statements: slow ones, and those that a guard which only reports would refuse. Never a text or a value. */
import type { StatementObserver, Work } from '../../acra/conversation/statement-watch.ts';
import type { Refusal } from '../../acra/statements/refusal.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import { RecordRate } from './record-rate.ts';

const MAX_RECORDS_PER_SECOND = 10;

export interface StatementLogDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly slowStatementMs: number;
  /** Of a text as latin1. */
  readonly fingerprint: (sql: string) => string;
}

const rounded = (ms: number) => Math.round(10 * ms) / 10;

export class StatementLog implements Pick<StatementObserver, 'finished' | 'wouldRefuse'> {
  readonly #deps: StatementLogDeps;
  readonly #slow: RecordRate;
  readonly #reported: RecordRate;

  constructor(deps: StatementLogDeps) {
    this.#deps = deps;
    this.#slow = new RecordRate(deps.clock, MAX_RECORDS_PER_SECOND);
    this.#reported = new RecordRate(deps.clock, MAX_RECORDS_PER_SECOND);
  }

  finished({ kinds, verdict, refusal, sql, spent }: Work): void {
    const { logger, slowStatementMs, fingerprint } = this.#deps;
    const totalMs = spent.judge + spent.engine + spent.database;
    if (totalMs < slowStatementMs || kinds.length === 0) return;
    const leftOut = this.#slow.next();
    if (leftOut === undefined) return;
    logger.log('warn', 'guard.slow-statement', {
      fingerprint: fingerprint(sql),
      statement: [...new Set(kinds)].join(' '),
      verdict,
      refusal: refusal ?? null,
      judgeMs: rounded(spent.judge),
      engineMs: rounded(spent.engine),
      databaseMs: rounded(spent.database),
      leftOut,
    });
  }

  wouldRefuse({ kind: refusal, sqlState }: Refusal, sql: string): void {
    const leftOut = this.#reported.next();
    if (leftOut === undefined) return;
    const fingerprint = this.#deps.fingerprint(sql);
    this.#deps.logger.log('warn', 'guard.would-refuse', { refusal, sqlState, fingerprint, leftOut });
  }
}
