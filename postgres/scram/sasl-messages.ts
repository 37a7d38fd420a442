/**
 * The messages that carry a login: the database's of type R, and the client's two of type p, which only their order tells apart.
 * Strict and bounded: who sends them has not shown yet who it is.
 * Specification: PostgreSQL 18, "Message Formats" (AuthenticationOk, AuthenticationSASL, …Continue, …Final, SASLInitialResponse,
 * SASLResponse) and "SASL Authentication"; RFC 4422 section 3.1 for the names of mechanisms.
 */
import { int32 } from '../integers.ts';
import { encodeMessage } from '../messages.ts';
import { SessionError } from '../session-error.ts';
import { checkMessage } from './attributes.ts';

const AUTHENTICATION_TYPE = 'R';
const RESPONSE_TYPE = 'p';
const CODES = { ok: 0, cleartext: 3, sasl: 10, saslContinue: 11, saslFinal: 12 } as const;
const MECHANISM = /^[A-Z0-9_-]{1,20}$/;
const MAX_MECHANISMS = 16;
/** Of what the list may hold: names with their zero bytes. */
const MAX_LIST_BYTES = 512;

export type Authentication =
  | { readonly kind: 'ok' }
  | { readonly kind: 'sasl'; readonly mechanisms: readonly string[] }
  | { readonly kind: 'sasl-continue' | 'sasl-final'; readonly data: Buffer }
  /** A password in clear. */
  | { readonly kind: 'cleartext' }
  /** 5 is md5; the rest stands in the manual. */
  | { readonly kind: 'other'; readonly code: number };

function violation(what: string): SessionError {
  return new SessionError('08P01', `malformed authentication message: ${what}`);
}

function checkMechanism(name: string): string {
  if (!MECHANISM.test(name))
    throw violation('a mechanism is not 1 to 20 capital letters, digits, hyphens and underscores');
  return name;
}

/** Names that end with a zero byte each, and one more at the end. */
function decodeMechanisms(list: Buffer): string[] {
  if (list.length > MAX_LIST_BYTES || list.at(-1) !== 0) throw violation('the list of mechanisms has no end');
  if (list.length === 1) return [];
  if (list.at(-2) !== 0) throw violation('the list of mechanisms has no end');
  const names = list.toString('latin1', 0, list.length - 2).split('\0');
  if (names.length > MAX_MECHANISMS) throw violation(`more than ${MAX_MECHANISMS} mechanisms are offered`);
  return names.map(checkMechanism);
}

/** @param body of a message of type R. @throws SessionError 08P01 */
export function decodeAuthentication(body: Buffer): Authentication {
  if (body.length < 4) throw violation('it ends early');
  const code = body.readInt32BE();
  const data = body.subarray(4);
  if (code === CODES.sasl) return { kind: 'sasl', mechanisms: decodeMechanisms(data) };
  if (code === CODES.saslContinue || code === CODES.saslFinal) {
    checkMessage(data);
    return { kind: code === CODES.saslContinue ? 'sasl-continue' : 'sasl-final', data };
  }
  if (code !== CODES.ok && code !== CODES.cleartext) return { kind: 'other', code };
  if (data.length > 0) throw violation('something follows what has no more to say');
  return { kind: code === CODES.ok ? 'ok' : 'cleartext' };
}

/** @param body of the first message of type p. @throws SessionError 08P01, also without an initial response, which SCRAM needs */
export function decodeInitialResponse(body: Buffer): { mechanism: string; data: Buffer } {
  const end = body.indexOf(0);
  if (end === -1 || body.length < end + 5) throw violation('it ends early');
  const mechanism = checkMechanism(body.toString('latin1', 0, end));
  const length = body.readInt32BE(end + 1);
  const data = body.subarray(end + 5);
  if (length === -1) throw violation('the initial response is missing');
  if (length !== data.length) throw violation('the initial response is not as long as it says');
  checkMessage(data);
  return { mechanism, data };
}

/** @param body of a later message of type p, which is nothing but the response. @throws SessionError 08P01 */
export function decodeResponse(body: Buffer): Buffer {
  checkMessage(body);
  return body;
}

export const AUTHENTICATION_OK: Buffer = encodeMessage(AUTHENTICATION_TYPE, int32(CODES.ok));

export function encodeAuthenticationSasl(mechanisms: readonly string[]): Buffer {
  const names = mechanisms.map((name) => `${checkMechanism(name)}\0`).join('');
  return encodeMessage(AUTHENTICATION_TYPE, int32(CODES.sasl), Buffer.from(`${names}\0`, 'latin1'));
}

export function encodeSaslContinue(data: Buffer): Buffer {
  return encodeMessage(AUTHENTICATION_TYPE, int32(CODES.saslContinue), data);
}

export function encodeSaslFinal(data: Buffer): Buffer {
  return encodeMessage(AUTHENTICATION_TYPE, int32(CODES.saslFinal), data);
}

export function encodeInitialResponse(mechanism: string, data: Buffer): Buffer {
  return encodeMessage(
    RESPONSE_TYPE,
    Buffer.from(`${checkMechanism(mechanism)}\0`, 'latin1'),
    int32(data.length),
    data,
  );
}

export function encodeResponse(data: Buffer): Buffer {
  return encodeMessage(RESPONSE_TYPE, data);
}

/** A password in clear (PasswordMessage). The caller zeroes it. */
export function encodePassword(password: Buffer): Buffer {
  return encodeMessage(RESPONSE_TYPE, password, Buffer.of(0));
}

/** Asks for it. */
export function encodeAuthenticationCleartext(): Buffer {
  return encodeMessage(AUTHENTICATION_TYPE, int32(CODES.cleartext));
}
