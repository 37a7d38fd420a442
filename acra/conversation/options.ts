/** What a conversation needs of whoever holds the session. */
import type { Judge } from './judging.ts';
import type { StatementObserver } from './statement-watch.ts';
import type { ValueProtector } from './value-protector.ts';

export interface ConversationOptions {
  readonly judge: Judge;
  readonly protector: ValueProtector;
  /** Begins what the client is told of a refusal. */
  readonly refusedBy: string;
  /** What the judge would refuse is passed on as it is. */
  readonly isReporting?: boolean;
  readonly observer?: StatementObserver;
}
