/** A request that waits for its answers, with what these are to be read by. */
import { encodeError, parseError } from '../../postgres/error-response.ts';
import type { ResultField } from '../../postgres/messages.ts';
import type { PendingRequest } from '../../postgres/reply-queue.ts';
import type { CopyStream } from '../statements/copy-stream.ts';
import type { Prepared } from '../statements/plan.ts';
import type { Refusal } from '../statements/refusal.ts';
import type { PendingEffects } from './names.ts';
import type { Portal } from './portals.ts';
import type { Work } from './statement-watch.ts';

/** What the client is told in place of the error that was brought about in the database. */
export interface Replacement {
  /** The SQLSTATE of that error. */
  readonly of: string;
  readonly sqlState: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

export interface Request extends PendingRequest {
  /** Of the prepared statement. */
  readonly name?: string;
  readonly plan?: Prepared | undefined;
  /** That is executed or described. */
  readonly portal?: Portal | undefined;
  /** That is described. */
  readonly statement?: Prepared | undefined;
  /** Names that it makes. */
  readonly effects?: PendingEffects | undefined;
  /** How many Syncs the client had sent before. */
  readonly segment?: number;
  /** What is counted of it; only where it carries out a statement. */
  readonly work?: Work | undefined;
  instead?: Replacement;
  /** Of a simple query: how many of its statements the database has carried out. */
  at?: number;
  /** How often the database has asked for COPY data. */
  asked?: number;
  /** From the RowDescription that answered a simple query. */
  fields?: readonly ResultField[];
}

export function insteadOf(of: string, { sqlState, message, hint }: Refusal, refusedBy: string): Replacement {
  return { of, sqlState, message: `${refusedBy}: ${message}`, hint };
}

/** What the client gets for an ErrorResponse. */
export function replaced(frame: Buffer, body: Buffer, instead: Replacement | undefined): Buffer {
  if (instead === undefined || instead.of !== parseError(body).sqlState) return frame;
  return encodeError('ERROR', instead.sqlState, instead.message, instead.hint);
}

/** COPY data that go with it, in order. */
export function streamsOf({ kind, plan }: Request, direction: CopyStream['direction']): readonly CopyStream[] {
  const isCarriedOut = kind === 'query' || kind === 'execute';
  return isCarriedOut ? (plan?.streams.filter((stream) => stream.direction === direction) ?? []) : [];
}
