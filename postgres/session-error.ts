/** What ends one PostgreSQL session, never the process. The message goes to the client: never a value in it. */

/** `sqlState`: five characters (PostgreSQL manual, appendix A). */
export class SessionError extends Error {
  readonly sqlState: string;

  constructor(sqlState: string, message: string) {
    super(message);
    this.sqlState = sqlState;
  }
}
