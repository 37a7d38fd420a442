/** What is said of one kind of refusal (refusal-kinds.ts). */

export const NOT_SUPPORTED = ['0A000'] as const;
export const NOT_ALLOWED = ['42501'] as const;

export interface RefusalSection {
  /** The first is the kind's own; some places give another one, as PostgreSQL would. */
  readonly sqlStates: readonly [string, ...string[]];
  /** With `guard.mode: report`: whether it goes to the database as the client wrote it. */
  readonly inReportMode: 'passes' | 'refused';
  readonly meaning: string;
  /** What the client is told as a hint. */
  readonly accepted: string;
  readonly action: string;
}
