/** What a conversation needs of whoever holds the session. */
import type { CopyingOptions } from './copying-in.ts';
import type { Judge } from './judging.ts';
import type { StatementObserver } from './statement-watch.ts';

export interface ConversationOptions extends CopyingOptions {
  readonly judge: Judge;
  /** What the judge would refuse is passed on as it is. */
  readonly isReporting?: boolean;
  readonly observer?: StatementObserver;
}
