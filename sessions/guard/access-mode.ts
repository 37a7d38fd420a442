/** Puts together how clients log in, from what the supervisor says and the secrets that it sends along. */
import { SessionError } from '../../postgres/session-error.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { databaseChallenge } from '../edge/database-challenge.ts';
import type { DatabaseDoor } from '../edge/enter-database.ts';
import type { ServeGuard } from '../messages.ts';
import { certificateLogin, clientLogin, type DatabaseUser, type OpenAccess, packetForm } from './access.ts';
import { SecretChoice } from './secret-choice.ts';
import { takeVerifier, verifierLogin } from './verifier-login.ts';

interface AccessDeps {
  readonly random: Random;
  readonly logger: Logger;
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

/** @param secrets as ServeGuard says. @throws SessionError XX000 for a verifier that is none, which the boot lets nobody seal */
export function accessOf(
  { random, logger }: AccessDeps,
  options: Pick<ServeGuard, 'login' | 'users'>,
  door: DatabaseDoor,
  [mockSecret, ...secrets]: readonly SecretBuffer[],
): OpenAccess {
  if (options.login === 'client') return clientLogin();
  if (options.login === 'certificate') {
    return certificateLogin({ users: usersOf(options, secrets, logger, (secret) => secret), random, logger });
  }
  if (!mockSecret) throw new SessionError('XX000', 'the secret of mock challenges is missing');
  return verifierLogin({
    users: usersOf(options, secrets, logger, takeVerifier),
    mockSecret,
    challengeOf: (user, signal) => databaseChallenge(door, plainStartup(user), random, signal),
    random,
    logger,
  });
}
