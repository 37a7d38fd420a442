/** How a statement is refused. The message goes to the client: never a value in it. */
import { SessionError } from '../../postgres/session-error.ts';

/** A statement or value that must not reach the database; the session goes on. 42000: acra-server would pass plaintext on. */
export class Refusal extends SessionError {
  constructor(message: string, sqlState = '42000') {
    super(sqlState, message);
  }
}
