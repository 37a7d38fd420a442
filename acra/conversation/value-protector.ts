/**
 * What a conversation asks of whoever protects values: the stand-in for acra-server, which holds keys, or the guard, which asks an
 * engine that does.
 */
import type { EncryptedColumn } from '../encryptor-config/schema.ts';
import type { LiteralEdit } from '../statements/draft.ts';
import type { ValueUse } from '../statements/value-use.ts';
import type { Contradiction } from './contradiction.ts';

/** What is known of one cell of a row. */
export interface CellKind {
  /** Undefined: not protected, as far as statement and database together show. */
  readonly column: EncryptedColumn | undefined;
  readonly isBinary: boolean;
  /** Why the column is not told, where the statement alone would have called it protected. */
  readonly contradiction?: Contradiction | undefined;
  /** It may be a token, of which nobody knows the column: who reads it as it is takes it for a value. */
  readonly isWithheld?: true | undefined;
}

/** All reject with a Refusal, after which the session goes on, or a SessionError, which ends it. */
export interface ValueProtector {
  /** What the database gets instead, as bytes. */
  literal(literal: LiteralEdit): Promise<Buffer>;
  /** What the database gets instead, in binary format. */
  parameter(use: ValueUse, value: Buffer | null, isBinary: boolean): Promise<Buffer | null>;
  /**
   * Reads the rows of one result.
   * @param frames whole DataRow messages, in order @param kindsOf of a row with so many cells
   * @returns what the client gets instead of each
   */
  rows(frames: readonly Buffer[], kindsOf: (cells: number) => readonly CellKind[]): Promise<readonly Buffer[]>;
  /** Sees the data of a COPY before the client gets it as it is. @param frames whole CopyData messages, in order */
  copied(frames: readonly Buffer[]): Promise<void>;
}
