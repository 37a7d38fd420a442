/**
 * Logs in to the database (PostgreSQL 18, "Start-up", "SASL Authentication"). The database is not trusted: it must prove by SCRAM
 * that it knows the password, and may ask for nothing weaker. RDS with IAM cannot: it takes a token in clear, which is good for fifteen
 * minutes and for this database alone, and has nothing but its certificate to prove who it is. What it says until the login is done is held back, so that a client
 * learns that it is logged in when it truly is.
 *
 *   certificate   the enclave's own password, with channel binding where the database's certificate has one
 *   verifier      the ClientKey that the client's proof left, bound in the same way
 *   client        the client's SCRAM passes through, message by message
 *   rds-iam       a token in clear, once, in TLS that was verified
 */
import type { X509Certificate } from 'node:crypto';
import { decodeBackendKeyData } from '../../postgres/cancel-request.ts';
import { parseError } from '../../postgres/error-response.ts';
import type { Message } from '../../postgres/message-reader.ts';
import { BACKEND, FRONTEND } from '../../postgres/message-types.ts';
import type { ScramClient } from '../../postgres/scram/client.ts';
import {
  AUTHENTICATION_OK,
  type Authentication,
  decodeAuthentication,
  encodeInitialResponse,
  encodePassword,
  encodeResponse,
} from '../../postgres/scram/sasl-messages.ts';
import { SessionError } from '../../postgres/session-error.ts';
import { decodeNegotiateProtocolVersion } from '../../postgres/startup-message.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import type { MessageStream } from '../message-stream.ts';

/** What a database may ask for, and nothing besides. */
type Method = 'SCRAM-SHA-256' | 'a token in clear';

/** Answers one step of the database's exchange, at the right moment or not at all. */
export interface LoginExchange extends Disposable {
  readonly method: Method;
  /** @returns what the database is sent; undefined: nothing. @throws SessionError */
  answer(authentication: Authentication, message: Message, signal: AbortSignal): Promise<Buffer | undefined>;
  /** Whether an AuthenticationOk may be believed. */
  readonly isProven: boolean;
  /** Where the client itself logs in it must know the protocol first. */
  readonly negotiated?: (message: Message) => void;
  /** What the client is told before AuthenticationOk. */
  readonly lastWord?: Buffer | undefined;
}

/** By the enclave itself. @param lastWord to a client that has proven itself, and waits for it */
export function scramExchange(client: ScramClient, lastWord?: Buffer): LoginExchange {
  return {
    method: 'SCRAM-SHA-256',
    lastWord,
    get isProven() {
      return client.isProven;
    },
    async answer(authentication) {
      switch (authentication.kind) {
        case 'sasl': {
          const { mechanism, initialResponse } = client.start(authentication.mechanisms);
          return encodeInitialResponse(mechanism, initialResponse);
        }
        case 'sasl-continue':
          return encodeResponse(await client.continue(authentication.data));
        case 'sasl-final':
          client.finish(authentication.data);
          return undefined;
        default:
          return undefined;
      }
    },
    [Symbol.dispose]: () => client.dispose(),
  };
}

/** By the client's: it sees what the database asks, and what it answers goes there. */
export function passedExchange(client: MessageStream): LoginExchange {
  let isFinal = false;
  return {
    method: 'SCRAM-SHA-256',
    get isProven() {
      return isFinal;
    },
    negotiated: ({ frame }) => void client.socket.write(frame),
    async answer({ kind }, message, signal) {
      client.socket.write(message.frame);
      isFinal ||= kind === 'sasl-final';
      if (kind === 'sasl-final') return undefined;
      const response = await client.next(signal);
      const isResponse = response.type === FRONTEND.saslResponse && response.skippedBytes === undefined;
      if (!isResponse) throw new SessionError('08P01', 'expected a response to SASL');
      return response.frame;
    },
    [Symbol.dispose]: () => undefined,
  };
}

/**
 * By a token for RDS. Whether it is taken is all that the database says.
 * @param certificate which the connection was verified by
 * @throws SessionError 28000 without one
 */
export function tokenExchange(token: SecretBuffer, certificate: X509Certificate | undefined): LoginExchange {
  if (!certificate) throw new SessionError('28000', 'a token is sent to a verified database only');
  let isSent = false;
  return {
    method: 'a token in clear',
    get isProven() {
      return isSent;
    },
    async answer() {
      if (isSent) throw new SessionError('28000', 'the database asks for the token twice');
      isSent = true;
      return token.use((bytes) => encodePassword(bytes));
    },
    [Symbol.dispose]: () => undefined,
  };
}

const WRONG_PASSWORD = '28P01';
/** Where RDS calls its own plug-in, which asks IAM (PAM): src/backend/libpq/auth.c, auth_failed. */
const NOT_AUTHORIZED = '28000';

/** What a login by something else than SCRAM is called. */
const OTHERS: Readonly<Record<number, string>> = {
  5: 'an MD5 password',
  7: 'GSSAPI',
  9: 'SSPI',
};

/** The database refused the session: its own words for the client. */
export class LoginRefused extends SessionError {
  readonly frame: Buffer;
  /** Who logs in so may not, whatever he asks for. */
  readonly isOfLogin: boolean;

  constructor({ frame, body }: Message) {
    const { sqlState } = parseError(body);
    const isPassword = sqlState === WRONG_PASSWORD;
    super(isPassword ? WRONG_PASSWORD : NOT_AUTHORIZED, 'the database refused the login');
    this.frame = frame;
    this.isOfLogin = isPassword || sqlState === NOT_AUTHORIZED;
  }
}

/** Another secret may be the right one. */
export function isWrongPassword(error: unknown): boolean {
  return error instanceof SessionError && error.sqlState === WRONG_PASSWORD;
}

const GREETING: readonly string[] = [
  BACKEND.negotiateProtocolVersion,
  BACKEND.noticeResponse,
  BACKEND.parameterStatus,
  BACKEND.backendKeyData,
];
/** PostgreSQL reports some fifteen settings, and the whole of a login is some twenty messages. */
const MAX_LOGIN_MESSAGES = 1_000;
/** Of all that is held back. */
const MAX_LOGIN_BYTES = 256 * 1024;
/** Of one message of the database until it has let the client in; libpq takes no more than 30,000. */
export const MAX_LOGIN_MESSAGE_BYTES: number = 64 * 1024;

/**
 * @param database to which the start-up packet was sent
 * @returns all that the client is to be told, up to ReadyForQuery
 * @throws LoginRefused; SessionError 28000, 08P01, 08006; the signal's reason
 */
export async function logIn(
  database: MessageStream,
  exchange: LoginExchange,
  signal: AbortSignal,
): Promise<readonly Message[]> {
  const greeting: Message[] = [];
  let isOk = false;
  let bytes = 0;
  for (let count = 0; count < MAX_LOGIN_MESSAGES && bytes <= MAX_LOGIN_BYTES; count++) {
    const message = await database.next(signal);
    bytes += message.frame.length;
    if (message.type === BACKEND.errorResponse) throw new LoginRefused(message);
    if (message.type === BACKEND.authentication && !isOk) {
      isOk = await authenticate(database, exchange, message, signal);
      if (isOk) greeting.push(...okOf(exchange, message));
    } else if (message.type === BACKEND.readyForQuery && isOk) {
      return [...greeting, message];
    } else if (message.type === BACKEND.negotiateProtocolVersion && exchange.negotiated) {
      decodeNegotiateProtocolVersion(message.body);
      exchange.negotiated(message);
    } else if (GREETING.includes(message.type)) {
      checkGreeting(message);
      greeting.push(message);
    } else {
      throw new SessionError('08P01', 'the database sent what does not belong to a login');
    }
  }
  throw new SessionError('08P01', 'the login of the database does not end');
}

/** What drivers take apart is passed on only if it can be. @throws SessionError 08P01 */
function checkGreeting({ type, body }: Message): void {
  if (type === BACKEND.negotiateProtocolVersion) decodeNegotiateProtocolVersion(body);
  if (type === BACKEND.backendKeyData) decodeBackendKeyData(body);
}

/** In the place of the database's own. */
function okOf({ lastWord }: LoginExchange, ok: Message): Message[] {
  return [...(lastWord ? [lastWord] : []), AUTHENTICATION_OK].map((frame) => ({ ...ok, frame }));
}

/** @returns whether it is done */
async function authenticate(
  database: MessageStream,
  exchange: LoginExchange,
  message: Message,
  signal: AbortSignal,
): Promise<boolean> {
  const authentication = decodeAuthentication(message.body);
  if (authentication.kind === 'ok') {
    if (exchange.isProven) return true;
    throw new SessionError('28000', LET_IN[exchange.method]);
  }
  if (methodOf(authentication) !== exchange.method) {
    throw new SessionError(
      '28000',
      `the database asks for ${nameOf(authentication)}; only ${exchange.method} is answered`,
    );
  }
  const answer = await exchange.answer(authentication, message, signal);
  // A token is a secret for as long as it is good; what SCRAM sends is none.
  const sent = () => exchange.method === 'a token in clear' && answer?.fill(0);
  if (answer) database.socket.write(answer, sent);
  return false;
}

const LET_IN: Readonly<Record<Method, string>> = {
  'SCRAM-SHA-256': 'the database lets in without SCRAM: it has not proven who it is',
  'a token in clear': 'the database lets in without a token: it does not ask IAM who comes',
};

function methodOf({ kind }: Authentication): Method | undefined {
  if (kind === 'cleartext') return 'a token in clear';
  return kind === 'other' ? undefined : 'SCRAM-SHA-256';
}

function nameOf(authentication: Authentication): string {
  if (authentication.kind === 'cleartext') return 'a password in clear';
  return authentication.kind === 'other' ? (OTHERS[authentication.code] ?? `method ${authentication.code}`) : 'SCRAM';
}
