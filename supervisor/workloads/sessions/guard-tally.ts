/**
 * What all guards have counted, and what they were given, as metrics. Each tells what it has counted since it was launched; what has come since it last did is
 * added here, so that nothing is lost where a guard ends, or its identity is idle.
 */
import { PHASES, STATEMENT_VERDICTS } from '../../../acra/conversation/statement-watch.ts';
import { REFUSAL_KINDS } from '../../../acra/statements/refusal-kinds.ts';
import { STATEMENT_KINDS } from '../../../acra/statements/statement-kinds.ts';
import { type GuardCounts, noCounts, VALUE_OPERATIONS } from '../../../sessions/guard/guard-counts.ts';
import { type MetricSample, sample } from '../../../wire/metrics.ts';

const MS_PER_SECOND = 1_000;
const OUTCOMES = ['refused', 'reported'] as const;
/** Of a question for a token: it got one; there was none; it is for another's user; there were too many. */
const TOKEN_OUTCOMES = ['made', 'failed', 'denied', 'limited'] as const;
export type TokenOutcome = (typeof TOKEN_OUTCOMES)[number];

/** One guard after the other, of one identity. */
export interface GuardTeller {
  /** Another one counts from the start. */
  launched(): void;
  take(counts: GuardCounts): void;
  /** It asked for a token of the database. */
  token(outcome: TokenOutcome): void;
}

function add<Name extends string>(
  names: readonly Name[],
  total: Record<Name, number>,
  before: Readonly<Record<Name, number>>,
  now: Readonly<Record<Name, number>>,
): void {
  // A counter never goes back, whatever a guard says.
  for (const name of names) total[name] += Math.max(0, now[name] - before[name]);
}

export class GuardTally {
  readonly #total = noCounts();
  readonly #tokens: Record<TokenOutcome, number> = { made: 0, failed: 0, denied: 0, limited: 0 };

  teller(): GuardTeller {
    let told = noCounts();
    return {
      launched: () => {
        told = noCounts();
      },
      take: (counts) => {
        this.#add(told, counts);
        told = counts;
      },
      token: (outcome) => {
        this.#tokens[outcome] += 1;
      },
    };
  }

  get samples(): readonly MetricSample[] {
    const { statements, refusals, values, containersElsewhere, contradictedCells, spentMs } = this.#total;
    return [
      ...STATEMENT_VERDICTS.flatMap((verdict) =>
        STATEMENT_KINDS.map((statement) =>
          sample('guard_statements_total', { statement, verdict }, statements[verdict][statement]),
        ),
      ),
      ...OUTCOMES.flatMap((outcome) =>
        REFUSAL_KINDS.map((reason) => sample('guard_refusals_total', { reason, outcome }, refusals[outcome][reason])),
      ),
      ...VALUE_OPERATIONS.map((operation) => sample('guard_values_total', { operation }, values[operation])),
      ...TOKEN_OUTCOMES.map((outcome) => sample('guard_login_tokens_total', { outcome }, this.#tokens[outcome])),
      sample('guard_containers_elsewhere_total', {}, containersElsewhere),
      sample('guard_contradicted_cells_total', {}, contradictedCells),
      ...PHASES.map((phase) => sample('guard_phase_seconds_total', { phase }, spentMs[phase] / MS_PER_SECOND)),
    ];
  }

  #add(before: GuardCounts, now: GuardCounts): void {
    const total = this.#total;
    for (const verdict of STATEMENT_VERDICTS) {
      add(STATEMENT_KINDS, total.statements[verdict], before.statements[verdict], now.statements[verdict]);
    }
    for (const outcome of OUTCOMES) {
      add(REFUSAL_KINDS, total.refusals[outcome], before.refusals[outcome], now.refusals[outcome]);
    }
    add(VALUE_OPERATIONS, total.values, before.values, now.values);
    add(['containersElsewhere', 'contradictedCells'], total, before, now);
    add(PHASES, total.spentMs, before.spentMs, now.spentMs);
  }
}
