/** How a made-up session begins, at both of its ends (PostgreSQL 18, "Start-up"). */
import { BACKEND } from '../../postgres/message-types.ts';
import { encodeMessage } from '../../postgres/messages.ts';
import { encodeStartupMessage } from '../../postgres/startup-message.ts';

export function texts(...parts: readonly string[]): Buffer {
  return Buffer.from(parts.map((part) => `${part}\0`).join(''));
}

const READY = encodeMessage(BACKEND.readyForQuery, Buffer.from('I'));
/** Portals end with a transaction: this one never does. */
export const IN_TRANSACTION: Buffer = encodeMessage(BACKEND.readyForQuery, Buffer.from('T'));
/** AuthenticationOk, what acra-server and drivers look at, a cancel key that nobody uses. */
export const WELCOME: Buffer = Buffer.concat([
  encodeMessage(BACKEND.authentication, Buffer.alloc(4)),
  encodeMessage(BACKEND.parameterStatus, texts('server_version', '18.0')),
  encodeMessage(BACKEND.parameterStatus, texts('client_encoding', 'UTF8')),
  encodeMessage(BACKEND.parameterStatus, texts('standard_conforming_strings', 'on')),
  encodeMessage('K', Buffer.alloc(8)),
  READY,
]);

export const startup = (user: string): Buffer =>
  encodeStartupMessage({ minor: 0, parameters: new Map(Object.entries({ user, database: 'engine' })) });
