/**
 * Answers a guard that needs a token for the database (`database.login: rds-iam`): for a user of its own identity, and for no other. A
 * guard talks to clients and to the database, so what it asks is not believed.
 */
import { describeError, errorCode } from '../../../runtime/errors.ts';
import type { FromGuard, LoginToken, NoLoginToken, ServeGuard } from '../../../sessions/messages.ts';
import { SupervisorError } from '../../errors.ts';
import type { SessionProgram } from './session-program.ts';
import type { SessionsDeps } from './sessions-deps.ts';

type OfTokens = Extract<FromGuard, { readonly type: 'login-token-wanted' | 'login-token-refused' }>;

interface Asker {
  readonly clientId: string;
  readonly users: ServeGuard['users'];
  /** Undefined when it has ended. */
  readonly guard: Pick<SessionProgram<{ readonly type: string }>, 'send'> | undefined;
}

type Deps = Pick<SessionsDeps, 'databaseTokens' | 'logger'>;

/** Never rejects. Where the guard has ended meanwhile the next one gets the answer, and throws it away. */
export async function takeTokenMessage(message: OfTokens, asker: Asker, deps: Deps): Promise<void> {
  const { databaseTokens, logger } = deps;
  if (message.type === 'login-token-refused') {
    databaseTokens?.refused();
    return;
  }
  const { id, user } = message;
  const { clientId, users, guard } = asker;
  try {
    if (!databaseTokens || !users.some(({ name }) => name === user)) {
      throw new SupervisorError('CHILD_TOKEN_DENIED', 'a guard asks for a login that is not its own');
    }
    using token = await databaseTokens.tokenFor(user);
    guard?.send({ type: 'login-token', id, user } satisfies LoginToken, [token]);
  } catch (error) {
    const fields = { clientId, user, code: errorCode(error) ?? null, reason: describeError(error) };
    logger.log('error', 'identity.no-login-token', fields);
    guard?.send({ type: 'no-login-token', id, user } satisfies NoLoginToken);
  }
}
