/** What a statement does, in the few words that metrics and logs have for it. */

/** `definition`: it makes, changes or drops what the catalogue holds. */
export const STATEMENT_KINDS = [
  'select',
  'insert',
  'update',
  'delete',
  'merge',
  'copy',
  'definition',
  'other',
] as const;
export type StatementKind = (typeof STATEMENT_KINDS)[number];

/** What is known of a text before anything of it is judged. */
export interface StatementFacts {
  /** Of each statement. */
  readonly kinds: readonly StatementKind[];
  /** The client is to be asked for data (COPY … FROM STDIN). */
  readonly copiesIn: boolean;
}
