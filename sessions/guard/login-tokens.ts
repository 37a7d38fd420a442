/**
 * Tokens for the database (`database.login: rds-iam`), which the supervisor makes: it has the role's credentials, a guard never does. It
 * makes them for users of this guard's identity only.
 */
import { SessionError } from '../../postgres/session-error.ts';
import { untilAborted } from '../../runtime/abort.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import type { FromGuard, LoginToken, NoLoginToken } from '../messages.ts';

export class LoginTokens {
  readonly #send: (message: FromGuard) => void;
  readonly #waiting = new Map<number, PromiseWithResolvers<SecretBuffer> & { readonly user: string }>();
  #id = 0;

  constructor(send: (message: FromGuard) => void) {
    this.#send = send;
  }

  /** The caller disposes of it. @throws SessionError 57P03 where there can be none now; the signal's reason */
  async tokenFor(user: string, signal: AbortSignal): Promise<SecretBuffer> {
    const id = ++this.#id;
    const waiting = { ...Promise.withResolvers<SecretBuffer>(), user };
    this.#waiting.set(id, waiting);
    this.#send({ type: 'login-token-wanted', id, user });
    try {
      return await untilAborted(waiting.promise, signal);
    } catch (error) {
      // It may have come in this very turn.
      waiting.promise.then(
        (token) => token.dispose(),
        () => undefined,
      );
      throw error;
    } finally {
      this.#waiting.delete(id);
    }
  }

  /** The database did not take one. */
  refused(user: string): void {
    this.#send({ type: 'login-token-refused', user });
  }

  /** @param secrets taken over */
  answered(answer: LoginToken | NoLoginToken, secrets: readonly SecretBuffer[]): void {
    const asked = this.#waiting.get(answer.id);
    const waiting = asked?.user === answer.user ? asked : undefined;
    const [token, ...others] = secrets;
    for (const each of others) each.dispose();
    if (answer.type === 'login-token' && token && waiting) waiting.resolve(token);
    else {
      token?.dispose();
      waiting?.reject(
        new SessionError('57P03', 'the enclave has no token to log in to the database with now; its log says why'),
      );
    }
  }
}
