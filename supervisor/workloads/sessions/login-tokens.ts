/**
 * Answers the guard of one identity that needs a token for the database (`database.login: rds-iam`): for a user of its own, for no other,
 * and no more than logins can be. A guard talks to clients and to the database, so what it asks is not believed, and a signature costs the
 * supervisor's time, which all identities share.
 */
import { describeError, errorCode } from '../../../runtime/errors.ts';
import { TokenBucket } from '../../../runtime/token-bucket.ts';
import type { FromGuard, LoginToken, NoLoginToken, ServeGuard } from '../../../sessions/messages.ts';
import { SupervisorError } from '../../errors.ts';
import type { GuardTeller, TokenOutcome } from './guard-tally.ts';
import type { SessionProgram } from './session-program.ts';
import type { SessionsDeps } from './sessions-deps.ts';

type OfTokens = Extract<FromGuard, { readonly type: 'login-token-wanted' | 'login-token-refused' }>;

/** AWS advises fewer new connections by IAM than that, for a whole database (RDS User Guide, "IAM database authentication"). */
const PER_SECOND = 200;

interface Asker {
  readonly users: ServeGuard['users'];
  /** Undefined when it has ended. */
  readonly guard: Pick<SessionProgram<{ readonly type: string }>, 'send'> | undefined;
}

interface Deps extends Pick<SessionsDeps, 'databaseTokens' | 'logger' | 'clock'> {
  readonly config: { readonly ingress: { readonly limits: { readonly maxSessionsPerClient: number } } };
}

const OUTCOMES: Readonly<Record<string, TokenOutcome>> = { CHILD_TOKEN_DENIED: 'denied', CHILD_TOKEN_RATE: 'limited' };

export class LoginTokenDesk {
  readonly #clientId: string;
  readonly #deps: Deps;
  readonly #counts: Pick<GuardTeller, 'token'>;
  readonly #rate: TokenBucket;
  /** That there were too many: once until the guard has kept to its rate again. */
  #isTold = false;

  constructor(clientId: string, deps: Deps, counts: Pick<GuardTeller, 'token'>) {
    this.#clientId = clientId;
    this.#deps = deps;
    this.#counts = counts;
    // All of its sessions may come at once: after a failover of the database they do.
    const burst = Math.max(PER_SECOND, deps.config.ingress.limits.maxSessionsPerClient);
    this.#rate = new TokenBucket({ burst, perSecond: PER_SECOND }, deps.clock);
  }

  /** Never rejects. Where the guard has ended meanwhile the next one gets the answer, and throws it away. */
  async take(message: OfTokens, { users, guard }: Asker): Promise<void> {
    if (message.type === 'login-token-refused') {
      this.#deps.databaseTokens?.refused();
      return;
    }
    const { id, user } = message;
    try {
      this.#admit();
      using token = await this.#tokenFor(user, users);
      guard?.send({ type: 'login-token', id, user } satisfies LoginToken, [token]);
      this.#counts.token('made');
    } catch (error) {
      this.#tell(user, error);
      guard?.send({ type: 'no-login-token', id, user } satisfies NoLoginToken);
    }
  }

  #admit(): void {
    if (this.#rate.isFull) this.#isTold = false;
    if (!this.#rate.take()) {
      throw new SupervisorError('CHILD_TOKEN_RATE', 'a guard asks for more tokens than logins can be', {
        allowed: `${PER_SECOND} a second`,
      });
    }
  }

  async #tokenFor(user: string, users: Asker['users']) {
    const { databaseTokens } = this.#deps;
    if (!databaseTokens || !users.some(({ name }) => name === user)) {
      throw new SupervisorError('CHILD_TOKEN_DENIED', 'a guard asks for a login that is not its own');
    }
    return await databaseTokens.tokenFor(user);
  }

  #tell(user: string, error: unknown): void {
    const code = errorCode(error) ?? null;
    const outcome = OUTCOMES[code ?? ''] ?? 'failed';
    this.#counts.token(outcome);
    if (outcome === 'limited' && this.#isTold) return;
    if (outcome === 'limited') this.#isTold = true;
    const fields = { clientId: this.#clientId, user, code, reason: describeError(error) };
    this.#deps.logger.log('error', 'identity.no-login-token', fields);
  }
}
