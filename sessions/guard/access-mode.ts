/** Puts together how clients log in, from what the supervisor says and the secrets that it sends along. */
import { SessionError } from '../../postgres/session-error.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { databaseChallenge } from '../edge/database-challenge.ts';
import type { DatabaseDoor } from '../edge/enter-database.ts';
import type { ServeGuard } from '../messages.ts';
import { certificateLogin, clientLogin, type DatabaseUser, type OpenAccess, packetForm, tokenLogin } from './access.ts';
import type { AccessSecrets } from './access-in-use.ts';
import type { LoginTokens } from './login-tokens.ts';
import { SecretChoice } from './secret-choice.ts';
import { takeVerifier, verifierLogin } from './verifier-login.ts';

interface AccessDeps {
  readonly random: Random;
  readonly logger: Logger;
  readonly tokens: LoginTokens;
}

/** @param secrets of all users, in their order. @param take what is kept of one */
function usersOf<Secret>(
  { users }: Pick<ServeGuard, 'users'>,
  secrets: readonly SecretBuffer[],
  logger: Logger,
  take: (secret: SecretBuffer) => Secret,
): DatabaseUser<Secret>[] {
  const left = [...secrets];
  return users.map(({ name, databases, secrets: count }) => {
    const onChange = (setting: string) => logger.log('info', 'guard.secret-in-use', { user: name, setting });
    return { name, databases, secrets: new SecretChoice(left.splice(0, count).map(take), onChange) };
  });
}

/** A packet that asks for a session and nothing besides. */
function plainStartup({ name, databases }: { readonly name: string; readonly databases: readonly string[] }) {
  const [database = name] = databases;
  return {
    minor: 0,
    parameters: new Map([
      ['user', packetForm(name)],
      ['database', packetForm(database)],
    ]),
  };
}

/**
 * @param secrets as ServeGuard says: taken over, also where it throws
 * @throws SessionError XX000 for a verifier that is none, which neither a boot nor a change of keys lets anybody seal
 */
export function accessOf(
  deps: AccessDeps,
  options: Pick<ServeGuard, 'login' | 'users'>,
  door: DatabaseDoor,
  secrets: readonly SecretBuffer[],
): AccessSecrets {
  const own = [...secrets];
  const dispose = () => {
    for (const secret of own) secret.dispose();
  };
  try {
    return { open: openBy(deps, options, door, own), [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** @param own gets what is made of them besides */
function openBy(
  { random, logger, tokens }: AccessDeps,
  options: Pick<ServeGuard, 'login' | 'users'>,
  door: DatabaseDoor,
  own: SecretBuffer[],
): OpenAccess {
  const [mockSecret, ...secrets] = own;
  if (options.login === 'client') return clientLogin();
  if (options.login === 'rds-iam') return tokenLogin({ users: options.users, tokens, logger });
  if (options.login === 'certificate') {
    return certificateLogin({ users: usersOf(options, secrets, logger, (secret) => secret), random, logger });
  }
  if (!mockSecret) throw new SessionError('XX000', 'the secret of mock challenges is missing');
  const take = (text: SecretBuffer) => {
    const verifier = takeVerifier(text);
    own.push(verifier.storedKey, verifier.serverKey);
    return verifier;
  };
  return verifierLogin({
    users: usersOf(options, secrets, logger, take),
    mockSecret,
    challengeOf: (user, signal) => databaseChallenge(door, plainStartup(user), random, signal),
    random,
    logger,
  });
}
