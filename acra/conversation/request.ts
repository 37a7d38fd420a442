/** What is kept of a client's request until the database has answered it. */
import type { ResultField } from '../../postgres/messages.ts';
import type { PendingRequest } from '../../postgres/reply-queue.ts';
import type { Prepared } from '../statements/plan.ts';
import type { Refusal } from '../statements/refusal.ts';
import type { PendingEffects } from './names.ts';
import type { Portal } from './portals.ts';
import type { Work } from './statement-watch.ts';

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
  /** What the client is told in place of the error that the trap raises. */
  readonly refusal?: Refusal;
  /** How many Syncs the client had sent before. */
  readonly segment?: number;
  /** What is counted of it; only where it carries out a statement. */
  readonly work?: Work | undefined;
  /** Of a simple query: how many of its statements the database has carried out. */
  at?: number;
  /** From the RowDescription that answered a simple query. */
  fields?: readonly ResultField[];
}
