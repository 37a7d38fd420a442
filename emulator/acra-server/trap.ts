/** How a refusal reaches the client in its place: by way of the database, which must see a statement all the same. */
import type { Refusal } from '../../acra/statements/refusal.ts';

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
