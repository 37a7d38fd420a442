/** The two ways in which the stand-in says no. Both messages go to the client: never a value in them. */

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

/**
 * A statement that makes the database raise a syntax error in place of the refused one, so that order, transaction state
 * and skipping up to Sync stay PostgreSQL's own. The error quotes the statement, which carries our message in hex.
 */
export function trapStatement({ sqlState, message }: Refusal): string {
  return `'acra refused ${Buffer.from(sqlState + message).toString('hex')}'`;
}

/** What the refusal behind an ErrorResponse said, if there is one. */
export function trappedRefusal(errorBody: Buffer): { readonly sqlState: string; readonly message: string } | undefined {
  const hex = /acra refused ([0-9a-f]+)/.exec(errorBody.toString('latin1'))?.[1];
  const text = hex && Buffer.from(hex, 'hex').toString();
  return text ? { sqlState: text.slice(0, 5), message: text.slice(5) } : undefined;
}
