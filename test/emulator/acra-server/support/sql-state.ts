/** The SQLSTATE of the SessionError or Refusal that `action` throws, or undefined when it throws nothing. */
import { SessionError } from '../../../../postgres/session-error.ts';

export function sqlStateOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof SessionError) return error.sqlState;
    throw error;
  }
  return undefined;
}
