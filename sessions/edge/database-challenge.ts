/**
 * What the database would ask of a user now: a login is begun, and not gone on with. PostgreSQL writes nothing into its log of it
 * (src/backend/libpq/auth-sasl.c, CheckSASLAuth). Nothing is proven by it: only the login shows whether the answer was the database's.
 */
import { BACKEND } from '../../postgres/message-types.ts';
import { tlsServerEndPoint } from '../../postgres/scram/channel-binding.ts';
import { type ScramChallenge, ScramClient } from '../../postgres/scram/client.ts';
import {
  type Authentication,
  decodeAuthentication,
  encodeInitialResponse,
} from '../../postgres/scram/sasl-messages.ts';
import { SessionError } from '../../postgres/session-error.ts';
import type { StartupMessage } from '../../postgres/startup-message.ts';
import type { Random } from '../../runtime/random.ts';
import type { MessageStream } from '../message-stream.ts';
import { leave } from '../say-goodbye.ts';
import { type DatabaseDoor, knock } from './enter-database.ts';
import { LoginRefused } from './login.ts';

/** @throws SessionError 28000 where no SCRAM begins, 08P01, 08006, LoginRefused; the signal's reason */
export async function databaseChallenge(
  door: DatabaseDoor,
  startup: StartupMessage,
  random: Random,
  signal: AbortSignal,
): Promise<ScramChallenge> {
  const { database, certificate } = await knock(door, startup, signal);
  try {
    const client = ScramClient.asking({ random, channelBinding: certificate && tlsServerEndPoint(certificate) });
    const { mechanisms } = await next(database, 'sasl', signal);
    const { mechanism, initialResponse } = client.start(mechanisms);
    database.socket.write(encodeInitialResponse(mechanism, initialResponse));
    const { data } = await next(database, 'sasl-continue', signal);
    return client.challenge(data);
  } finally {
    leave(database, door.clock);
  }
}

type Step<Kind> = Extract<Authentication, { readonly kind: Kind }>;

async function next<Kind extends 'sasl' | 'sasl-continue'>(
  database: MessageStream,
  kind: Kind,
  signal: AbortSignal,
): Promise<Step<Kind>> {
  const message = await database.next(signal);
  if (message.type === BACKEND.errorResponse) throw new LoginRefused(message);
  const isRequest = message.type === BACKEND.authentication;
  const authentication = isRequest ? decodeAuthentication(message.body) : undefined;
  if (authentication?.kind === kind) return authentication as Step<Kind>;
  throw new SessionError('28000', 'the database does not begin a login by SCRAM');
}
