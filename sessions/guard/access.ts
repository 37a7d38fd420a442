/**
 * How a client of this guard's identity logs in to the database: as a user that enclave.yaml allows its certificate, by the enclave's
 * own password (`database.login: certificate`), or by a password of its own, which passes through (`client`).
 */
import type { X509Certificate } from 'node:crypto';
import { tlsServerEndPoint } from '../../postgres/scram/channel-binding.ts';
import { ScramClient } from '../../postgres/scram/client.ts';
import { SessionError } from '../../postgres/session-error.ts';
import type { StartupMessage } from '../../postgres/startup-message.ts';
import { databaseOf, userOf } from '../../postgres/startup-message.ts';
import type { Random } from '../../runtime/random.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { type LoginExchange, passedExchange, passwordExchange } from '../edge/login.ts';
import type { MessageStream } from '../message-stream.ts';

export interface AllowedUser {
  readonly name: string;
  readonly databases: readonly string[];
  readonly password: SecretBuffer;
}

/** @param certificate of the database */
export type BeginExchange = (client: MessageStream, certificate: X509Certificate | undefined) => LoginExchange;

/** A name as bytes, so that those of a packet and those of the configuration compare. */
const packetForm = (name: string) => Buffer.from(name).toString('latin1');
const shown = (name: string) => `"${Buffer.from(name, 'latin1').toString()}"`;
const list = (names: readonly string[]) => names.map((name) => `"${name}"`).join(', ') || 'none';

/** @throws SessionError 28000 */
export function allowedUser(startup: StartupMessage, users: readonly AllowedUser[]): AllowedUser {
  const [user, database] = [userOf(startup), databaseOf(startup)];
  const allowed = users.find(({ name }) => packetForm(name) === user);
  const rule = 'database.users of enclave.yaml allows it';
  if (!allowed) {
    const names = list(users.map(({ name }) => name));
    throw new SessionError('28000', `this certificate may not be user ${shown(user)}; ${rule} ${names}`);
  }
  if (allowed.databases.some((name) => packetForm(name) === database)) return allowed;
  const message = `user ${shown(user)} may not use database ${shown(database)}; ${rule} ${list(allowed.databases)}`;
  throw new SessionError('28000', message);
}

/** @throws SessionError 28000 */
export function certificateLogin(
  startup: StartupMessage,
  users: readonly AllowedUser[],
  random: Random,
): BeginExchange {
  const { password } = allowedUser(startup, users);
  return (_client, certificate) =>
    passwordExchange(
      new ScramClient({ password, random, channelBinding: certificate && tlsServerEndPoint(certificate) }),
    );
}

export function clientLogin(): BeginExchange {
  return (client) => passedExchange(client);
}
