/** What became of something that may end in a SessionError. */
import { SessionError } from '../../../postgres/session-error.ts';

/** The SQLSTATE, or what it resolved to. Any other error is thrown on. */
export async function outcomeOf<Result>(result: Promise<Result>): Promise<Result | string> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof SessionError) return error.sqlState;
    throw error;
  }
}
