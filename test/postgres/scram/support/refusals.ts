/** Asserts that a login is refused by a SessionError of one SQLSTATE that tells no secret. */
import { SessionError } from '../../../../postgres/session-error.ts';

export const PASSWORD = 'pencil';

function checkRefusal(error: unknown, sqlState: string, secrets: readonly string[] = [PASSWORD]): SessionError {
  const isRight = error instanceof SessionError && error.sqlState === sqlState;
  if (!isRight) throw new Error(`expected a SessionError ${sqlState}, got ${error}`, { cause: error });
  const told = secrets.find((secret) => error.message.includes(secret));
  if (told !== undefined) throw new Error(`the message tells a secret: ${error.message}`);
  return error;
}

export async function rejectsLogin(action: () => unknown, sqlState: string): Promise<SessionError> {
  try {
    await action();
  } catch (error) {
    return checkRefusal(error, sqlState);
  }
  throw new Error(`expected a SessionError ${sqlState}, but nothing was thrown`);
}
