/** What ends one PostgreSQL session, never the process. The message goes to the client: never a value in it. */

/** `sqlState`: five characters (PostgreSQL manual, appendix A). */
export class SessionError extends Error {
  readonly sqlState: string;
  /** What the client may do instead. */
  readonly hint: string | undefined;

  constructor(sqlState: string, message: string, hint?: string) {
    super(message);
    this.sqlState = sqlState;
    this.hint = hint;
  }
}
