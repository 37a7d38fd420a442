/** What a guard counts, and how its supervisor is told: schema-checked, every label from a closed set (docs/metrics.md). */
import { z } from 'zod';
import { PHASES, STATEMENT_VERDICTS } from '../../acra/conversation/statement-watch.ts';
import { REFUSAL_KINDS } from '../../acra/statements/refusal-kinds.ts';
import { STATEMENT_KINDS } from '../../acra/statements/statement-kinds.ts';

export const VALUE_OPERATIONS = ['encrypted', 'hashed', 'decrypted'] as const;

const count = z.int().min(0);

/** All since this guard was launched. */
export const guardCountsSchema = z.strictObject({
  type: z.literal('counts'),
  statements: z.record(z.enum(STATEMENT_VERDICTS), z.record(z.enum(STATEMENT_KINDS), count)),
  /** By why, and whether it went to the database all the same. */
  refusals: z.strictObject({
    refused: z.record(z.enum(REFUSAL_KINDS), count),
    reported: z.record(z.enum(REFUSAL_KINDS), count),
  }),
  values: z.record(z.enum(VALUE_OPERATIONS), count),
  /** Containers in cells that nobody protects, which went to the client as they are stored. */
  containersElsewhere: count,
  /** Cells of protected columns that were left as they are stored, because the row description spoke against it. */
  contradictedCells: count,
  /** Milliseconds. */
  spentMs: z.record(z.enum(PHASES), z.number().min(0)),
});
export type GuardCounts = z.output<typeof guardCountsSchema>;

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}

export function noCounts(): GuardCounts {
  return {
    type: 'counts',
    statements: {
      untouched: zeros(STATEMENT_KINDS),
      protected: zeros(STATEMENT_KINDS),
      refused: zeros(STATEMENT_KINDS),
      reported: zeros(STATEMENT_KINDS),
    },
    refusals: { refused: zeros(REFUSAL_KINDS), reported: zeros(REFUSAL_KINDS) },
    values: zeros(VALUE_OPERATIONS),
    containersElsewhere: 0,
    contradictedCells: 0,
    spentMs: zeros(PHASES),
  };
}
