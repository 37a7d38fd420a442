/** The two ways to say no to a client. Both messages go to it: never a value in them. */

/** Ends one session, never the process. `sqlState`: five characters (PostgreSQL manual, appendix A). */
export class SessionError extends Error {
  readonly sqlState: string;

  constructor(sqlState: string, message: string) {
    super(message);
    this.sqlState = sqlState;
  }
}

/** A statement or value that must not reach the database; the session goes on. 42000: acra-server would pass plaintext on. */
export class Refusal extends SessionError {
  constructor(message: string, sqlState = '42000') {
    super(sqlState, `refused by the acra-server stand-in: ${message}`);
  }
}
