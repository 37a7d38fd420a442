/**
 * `database.login: verifier`: clients keep their passwords. The guard checks them against the verifier that the database has too, bound
 * to the certificate that clients see, and logs in there with the ClientKey that a proof leaves, as PgBouncer does it.
 *
 *   client ──proof──▶ guard: ClientKey ──proof──▶ database: AuthenticationOk ──▶ client
 *
 * A user that this certificate may not be is challenged as one that it may be, and fails at the end, so that nobody learns who exists.
 * Of two verifiers the one is taken that the database has at this moment: for a password of the other it would not let the client in.
 * The database is asked for that before each login of the identity then, of its user or another, so that time tells nothing either.
 * Specification: RFC 5802; PostgreSQL 18, "SASL Authentication".
 */
import type { X509Certificate } from 'node:crypto';
import { FRONTEND } from '../../postgres/message-types.ts';
import { tlsServerEndPoint } from '../../postgres/scram/channel-binding.ts';
import { type ScramChallenge, ScramClient } from '../../postgres/scram/client.ts';
import {
  decodeInitialResponse,
  decodeResponse,
  encodeAuthenticationSasl,
  encodeSaslContinue,
  encodeSaslFinal,
} from '../../postgres/scram/sasl-messages.ts';
import { ScramServer } from '../../postgres/scram/server.ts';
import { parseVerifier, type ScramVerifier } from '../../postgres/scram/verifier.ts';
import { SessionError } from '../../postgres/session-error.ts';
import { type StartupMessage, userOf } from '../../postgres/startup-message.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { scramExchange } from '../edge/login.ts';
import type { MessageStream } from '../message-stream.ts';
import { type DatabaseUser, mayUse, type OpenAccess, userIn } from './access.ts';

type User = DatabaseUser<ScramVerifier>;

interface VerifierLogin {
  /** One at least. */
  readonly users: readonly User[];
  /** Of mock challenges; the same at every start. */
  readonly mockSecret: SecretBuffer;
  /** What the database would ask this user. */
  readonly challengeOf: (user: User, signal: AbortSignal) => Promise<ScramChallenge>;
  readonly random: Random;
  readonly logger: Logger;
}

/** The client is told of a wrong password, whatever it was; the detail is for the operator. */
export class LoginDenied extends SessionError {
  readonly detail: string;

  constructor(detail: string) {
    super('28P01', 'password authentication failed');
    this.detail = detail;
  }
}

/** @param text as it was sealed, and checked at boot; zeroed */
export function takeVerifier(text: SecretBuffer): ScramVerifier {
  using taken = text;
  const reading = taken.use(parseVerifier);
  if (reading.kind === 'verifier') return reading.verifier;
  throw new SessionError('XX000', `a sealed verifier is none: ${reading.reason}`);
}

const fits = (challenge: ScramChallenge) => (verifier: ScramVerifier) =>
  verifier.salt.equals(challenge.salt) && verifier.iterations === challenge.iterations;

async function responseOf(client: MessageStream, signal: AbortSignal): Promise<Buffer> {
  const { type, body } = await client.next(signal);
  if (type === FRONTEND.saslResponse) return body;
  throw new SessionError('08P01', 'expected a response to SASL');
}

/** @returns the ClientKey, which the caller disposes of, and what the client is still to be told */
async function proofOf(client: MessageStream, server: ScramServer, signal: AbortSignal) {
  client.socket.write(encodeAuthenticationSasl(server.mechanisms));
  const { mechanism, data } = decodeInitialResponse(await responseOf(client, signal));
  client.socket.write(encodeSaslContinue(server.start(mechanism, data)));
  return server.finish(decodeResponse(await responseOf(client, signal)));
}

/** What the operator reads of a 28P01. */
function whyDenied(startup: StartupMessage, user: User | undefined): string {
  if (!user) return 'enclave.yaml does not let this certificate be that user';
  return mayUse(startup, user) ? 'the password is wrong' : 'enclave.yaml does not let this user use that database';
}

export function verifierLogin(options: VerifierLogin): OpenAccess {
  const { users, random, logger } = options;
  const severalOf = users.find(({ secrets }) => secrets.inOrder.length > 1);
  const iterations = users[0]?.secrets.inOrder[0]?.iterations ?? 0;
  const mock = { secret: options.mockSecret, iterations };

  /** The one that the database has; where it has none of ours, the login there will say so. */
  async function verifierOf(user: User | undefined, signal: AbortSignal): Promise<ScramVerifier | undefined> {
    const ours = user?.secrets.inOrder ?? [];
    const asked = ours.length > 1 ? user : severalOf;
    const challenge = asked && (await options.challengeOf(asked, signal));
    const current = challenge && asked === user ? ours.find(fits(challenge)) : undefined;
    return current ?? ours[0];
  }

  return async (startup, client, signal, channelBinding) => {
    const user = userIn(startup, users);
    const verifier = await verifierOf(user, signal);
    const server = new ScramServer({ user: userOf(startup), verifier, mock, random, channelBinding });
    const proof = await proofOf(client, server, signal).catch((error: unknown) => {
      const isDenied = error instanceof SessionError && error.sqlState === '28P01';
      throw isDenied ? new LoginDenied(whyDenied(startup, user)) : error;
    });
    const { clientKey, serverFinal } = proof;
    if (!user || !verifier || !mayUse(startup, user)) {
      clientKey.dispose();
      throw new LoginDenied(whyDenied(startup, user));
    }
    const begin = (certificate: X509Certificate | undefined) => {
      const binding = certificate && tlsServerEndPoint(certificate);
      const login = ScramClient.fromKeys({ ...verifier, clientKey, random, channelBinding: binding });
      return scramExchange(login, encodeSaslFinal(serverFinal));
    };
    return {
      ways: [{ begin, worked: () => user.secrets.worked(verifier) }],
      refused: () => logger.log('error', 'guard.verifier-stale', { user: user.name }),
      [Symbol.dispose]: () => clientKey.dispose(),
    };
  };
}
