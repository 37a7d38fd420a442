/** What a statement does, in the few words that metrics and logs have for it. */
import type { CopyStream } from './copy-stream.ts';
import type { NameFact } from './names-made.ts';

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
  /** What COPY asks the client for, or sends it, in the order of the text. Before it is judged none of it is known to be protected. */
  readonly streams: readonly CopyStream[];
}

/** Of one that is refused as a whole. */
export interface TextFacts extends StatementFacts {
  readonly names: readonly NameFact[];
}
