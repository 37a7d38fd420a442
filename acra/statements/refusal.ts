/** How a statement is refused. The message goes to the client: never a value in it. */
import { SessionError } from '../../postgres/session-error.ts';
import { hintOf } from './refusal-hint.ts';
import { REFUSALS, type RefusalKind } from './refusal-kinds.ts';

/** A statement or value that must not reach the database; the session goes on. */
export class Refusal extends SessionError {
  readonly kind: RefusalKind;

  /** @param sqlState default: the kind's own */
  constructor(kind: RefusalKind, message: string, sqlState: string = REFUSALS[kind].sqlStates[0]) {
    super(sqlState, message, hintOf(kind));
    this.kind = kind;
  }
}
