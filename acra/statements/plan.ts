/** What is to be done with a text of statements, as it was judged. Plain data: it may come from another thread. */
import type { Edit } from './draft.ts';
import type { Result } from './outputs.ts';
import type { StatementFacts } from './statement-kinds.ts';
import type { ParameterUses } from './value-use.ts';

/** What is remembered of a statement for as long as it may be carried out. */
export interface Prepared extends ParameterUses, StatementFacts {
  /** Of each statement of the text, in order, the columns of its rows. */
  readonly results: readonly (readonly Result[])[];
  /** Prepared statements that EXECUTE names. Where there are any, they must be known for the text to be judged. */
  readonly executes: readonly string[];
  /** Cursors that FETCH reads from. */
  readonly fetches: readonly { readonly at: number; readonly name: string }[];
  readonly effects: readonly Effect[];
  /** The text would have been refused, and went to the database as the client wrote it (`guard.mode: report`). */
  readonly isAsWritten?: true;
}

/** What a statement does to the names that a session has, once the database has carried it out. */
export type Effect = { /** Which statement of the text, from 0. */ readonly at: number } & (
  | { readonly does: 'prepare' | 'declare'; readonly name: string; readonly prepared: Prepared }
  /** Without a name: all. */
  | { readonly does: 'deallocate' | 'close'; readonly name: string | undefined }
);

export interface Plan extends Prepared {
  /** In the order of the text, without overlap. */
  readonly edits: readonly Edit[];
  /** The oldest PostgreSQL that reads the text so, by its major version; 0: any (read-since.ts). */
  readonly readSince: number;
  /** The highest number of a parameter in the text, where there are copies to stand behind it; else 0. */
  readonly parameterCount: number;
}

/** By name. */
export type PreparedStatements = ReadonlyMap<string, Prepared>;
