/**
 * How a client of this guard's identity logs in to the database: as a user that enclave.yaml allows its certificate, by the enclave's
 * own password (`database.login: certificate`); by a password that the guard checks (`verifier`, verifier-login.ts); by one that
 * passes through (`client`); or by a token for RDS (`rds-iam`).
 */
import type { X509Certificate } from 'node:crypto';
import { tlsServerEndPoint } from '../../postgres/scram/channel-binding.ts';
import { ScramClient } from '../../postgres/scram/client.ts';
import { SessionError } from '../../postgres/session-error.ts';
import type { StartupMessage } from '../../postgres/startup-message.ts';
import { databaseOf, userOf } from '../../postgres/startup-message.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import type { LoginWay } from '../edge/enter-database.ts';
import { passedExchange, scramExchange, tokenExchange } from '../edge/login.ts';
import type { MessageStream } from '../message-stream.ts';
import type { LoginTokens } from './login-tokens.ts';
import type { SecretChoice } from './secret-choice.ts';

interface NamedUser {
  readonly name: string;
  readonly databases: readonly string[];
}

export interface DatabaseUser<Secret> extends NamedUser {
  readonly secrets: SecretChoice<Secret>;
}

/** What is left to be done at the database. */
export interface Access {
  /** One at least; the next is tried where the database says 28P01. */
  readonly ways: readonly LoginWay[];
  /** The database said so of all. */
  readonly refused?: () => void;
  /** After the login, however it went. */
  readonly [Symbol.dispose]: () => void;
}

/**
 * @param channelBinding tls-server-end-point of the certificate that the client was shown; undefined where it has none
 * @throws SessionError where the client may not log in so; the signal's reason
 */
export type OpenAccess = (
  startup: StartupMessage,
  client: MessageStream,
  signal: AbortSignal,
  channelBinding: Buffer | undefined,
) => Promise<Access>;

/** A name as bytes, so that those of a packet and those of the configuration compare. */
export const packetForm = (name: string): string => Buffer.from(name).toString('latin1');
const shown = (name: string) => `"${Buffer.from(name, 'latin1').toString()}"`;
const list = (names: readonly string[]) => names.map((name) => `"${name}"`).join(', ') || 'none';

/** The user of this packet, whatever the database. */
export function userIn<User extends { readonly name: string }>(
  startup: StartupMessage,
  users: readonly User[],
): User | undefined {
  return users.find(({ name }) => packetForm(name) === userOf(startup));
}

export function mayUse(startup: StartupMessage, { databases }: Pick<NamedUser, 'databases'>): boolean {
  return databases.some((name) => packetForm(name) === databaseOf(startup));
}

export function allowedUser<User extends NamedUser>(startup: StartupMessage, users: readonly User[]): User {
  const [user, database] = [userOf(startup), databaseOf(startup)];
  const allowed = userIn(startup, users);
  const rule = 'database.users of enclave.yaml allows it';
  if (!allowed) {
    const names = list(users.map(({ name }) => name));
    throw new SessionError('28000', `this certificate may not be user ${shown(user)}; ${rule} ${names}`);
  }
  if (mayUse(startup, allowed)) return allowed;
  const message = `user ${shown(user)} may not use database ${shown(database)}; ${rule} ${list(allowed.databases)}`;
  throw new SessionError('28000', message);
}

interface CertificateLogin {
  readonly users: readonly DatabaseUser<SecretBuffer>[];
  readonly random: Random;
  readonly logger: Logger;
}

export function certificateLogin({ users, random, logger }: CertificateLogin): OpenAccess {
  return async (startup) => {
    const { name, secrets } = allowedUser(startup, users);
    const ways = secrets.inOrder.map((password): LoginWay => {
      const begin = (certificate: X509Certificate | undefined) =>
        scramExchange(
          new ScramClient({ password, random, channelBinding: certificate && tlsServerEndPoint(certificate) }),
        );
      return { begin, worked: () => secrets.worked(password) };
    });
    const refused = () => logger.log('error', 'guard.password-refused', { user: name });
    return { ways, refused, [Symbol.dispose]: () => undefined };
  };
}

interface TokenLogin {
  readonly users: readonly NamedUser[];
  readonly tokens: Pick<LoginTokens, 'tokenFor' | 'refused'>;
  readonly logger: Logger;
}

/** A new token for each login. */
export function tokenLogin({ users, tokens, logger }: TokenLogin): OpenAccess {
  return async (startup, _client, signal) => {
    const { name } = allowedUser(startup, users);
    const token = await tokens.tokenFor(name, signal);
    const refused = () => {
      logger.log('error', 'guard.token-refused', { user: name });
      tokens.refused(name);
    };
    const begin = (certificate: X509Certificate | undefined) => tokenExchange(token, certificate);
    return { ways: [{ begin, refused }], [Symbol.dispose]: () => token.dispose() };
  };
}

export function clientLogin(): OpenAccess {
  return async (_startup, client) => ({
    ways: [{ begin: () => passedExchange(client) }],
    [Symbol.dispose]: () => undefined,
  });
}
