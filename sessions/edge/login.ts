/**
 * Logs in to the database (PostgreSQL 18, "Start-up", "SASL Authentication"). The database is not trusted: it must prove by SCRAM
 * that it knows the password, and may ask for nothing weaker. What it says until the login is done is held back, so that a client
 * learns that it is logged in when it truly is.
 *
 *   certificate   the enclave's own password, with channel binding where the database's certificate has one
 *   client        the client's SCRAM passes through, message by message
 */
import { decodeBackendKeyData } from '../../postgres/cancel-request.ts';
import type { Message } from '../../postgres/message-reader.ts';
import { BACKEND, FRONTEND } from '../../postgres/message-types.ts';
import type { ScramClient } from '../../postgres/scram/client.ts';
import {
  AUTHENTICATION_OK,
  type Authentication,
  decodeAuthentication,
  encodeInitialResponse,
  encodeResponse,
} from '../../postgres/scram/sasl-messages.ts';
import { SessionError } from '../../postgres/session-error.ts';
import { decodeNegotiateProtocolVersion } from '../../postgres/startup-message.ts';
import type { MessageStream } from '../message-stream.ts';

/** Answers one step of the database's SASL exchange, at the right moment or not at all. */
export interface LoginExchange extends Disposable {
  /** @returns what the database is sent; undefined: nothing. @throws SessionError */
  answer(authentication: Authentication, message: Message, signal: AbortSignal): Promise<Buffer | undefined>;
  /** Whether an AuthenticationOk may be believed. */
  readonly isProven: boolean;
  /** Where the client itself logs in it must know the protocol first. */
  readonly negotiated?: (message: Message) => void;
}

/** By the enclave's own password. */
export function passwordExchange(client: ScramClient): LoginExchange {
  return {
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
    get isProven() {
      return isFinal;
    },
    negotiated: ({ frame }) => void client.socket.write(frame),
    async answer({ kind }, message, signal) {
      client.socket.write(message.frame);
      isFinal ||= kind === 'sasl-final';
      if (kind === 'sasl-final') return undefined;
      const response = await client.next(signal);
      if (response.type !== FRONTEND.saslResponse) throw new SessionError('08P01', 'expected a response to SASL');
      return response.frame;
    },
    [Symbol.dispose]: () => undefined,
  };
}

/** What a login by something else than SCRAM is called. */
const OTHERS: Readonly<Record<number, string>> = {
  3: 'a password in clear',
  5: 'an MD5 password',
  7: 'GSSAPI',
  9: 'SSPI',
};

/** The database refused the session: its own words for the client. */
export class LoginRefused extends SessionError {
  readonly frame: Buffer;

  constructor(frame: Buffer) {
    super('28000', 'the database refused the login');
    this.frame = frame;
  }
}

const GREETING: readonly string[] = [
  BACKEND.negotiateProtocolVersion,
  BACKEND.noticeResponse,
  BACKEND.parameterStatus,
  BACKEND.backendKeyData,
];
/** PostgreSQL reports some fifteen settings. */
const MAX_GREETING_MESSAGES = 1_000;
/** Of one message up to there, and of all: it is held until the client may have it. */
export const MAX_LOGIN_BYTES: number = 1024 * 1024;

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
  while (greeting.length < MAX_GREETING_MESSAGES && bytes <= MAX_LOGIN_BYTES) {
    const message = await database.next(signal);
    bytes += message.frame.length;
    if (message.type === BACKEND.errorResponse) throw new LoginRefused(message.frame);
    if (message.type === BACKEND.authentication && !isOk) {
      isOk = await authenticate(database, exchange, message, signal);
      if (isOk) greeting.push({ ...message, frame: AUTHENTICATION_OK });
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
    throw new SessionError('28000', 'the database lets in without SCRAM: it has not proven who it is');
  }
  if (authentication.kind === 'other') {
    const asked = OTHERS[authentication.code] ?? `method ${authentication.code}`;
    throw new SessionError('28000', `the database asks for ${asked}; only SCRAM-SHA-256 is answered`);
  }
  const answer = await exchange.answer(authentication, message, signal);
  if (answer) database.socket.write(answer);
  return false;
}
