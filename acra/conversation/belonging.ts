/**
 * Which messages belong to a session behind its login (PostgreSQL 18, "Message Formats"). A database that asks for a login once more would
 * have drivers send it their password, and one that asks for COPY data that nobody has offered what the client reads next, a file of
 * statements for example: neither gets that far.
 */
import type { Message } from '../../postgres/message-reader.ts';
import { BACKEND, FRONTEND } from '../../postgres/message-types.ts';
import { encodeMessage } from '../../postgres/messages.ts';
import { SessionError } from '../../postgres/session-error.ts';
import { Refusal } from '../statements/refusal.ts';

const OF_A_LOGIN: readonly string[] = [
  BACKEND.authentication,
  BACKEND.backendKeyData,
  BACKEND.negotiateProtocolVersion,
];
const FROM_DATABASE = Object.values<string>(BACKEND).filter((type) => !OF_A_LOGIN.includes(type));
const FROM_CLIENT = Object.values<string>(FRONTEND).filter((type) => type !== FRONTEND.saslResponse);

/** @throws SessionError 08P01 */
export function requireOfSession(type: string, from: 'client' | 'database'): void {
  if ((from === 'client' ? FROM_CLIENT : FROM_DATABASE).includes(type)) return;
  throw new SessionError('08P01', `the ${from} sent what does not belong to a session`);
}

/** @param copiesIn of the statement under way. @throws SessionError 08P01 */
export function requireWanted(type: string, copiesIn: boolean | undefined): void {
  if (type !== BACKEND.copyInResponse || copiesIn) return;
  throw new SessionError('08P01', 'the database asks for COPY data that nobody has offered');
}

/** @returns behind the last of the DataRows, or of the CopyDatas, that follow one another from there on */
export function endOfData(all: readonly Message[], from: number): number {
  const type = all[from]?.type;
  let at = from;
  if (type === BACKEND.dataRow || type === BACKEND.copyData) while (all[at]?.type === type) at += 1;
  return at;
}

/** Whose refusal fails in the database too. */
const REFUSABLE: readonly string[] = [
  FRONTEND.query,
  FRONTEND.parse,
  FRONTEND.bind,
  FRONTEND.describe,
  FRONTEND.execute,
  FRONTEND.close,
  FRONTEND.functionCall,
];

/**
 * A message was too long, or found no room beside others of its client, and was thrown away as it came.
 * @returns what the database gets in place of COPY data, so that no part of it is stored without the rest
 * @throws Refusal 54000, 53200; SessionError 08P01 for one that has no such length
 */
export function refuseTooLong({ type, skippedBytes, hadNoRoom }: Message): Buffer {
  const what = `a message of ${skippedBytes} bytes`;
  const reason = hadNoRoom
    ? `${what} finds no room: too many long messages of this client are under way; try again`
    : `${what} is too long`;
  if (REFUSABLE.includes(type)) throw new Refusal(hadNoRoom ? 'busy' : 'too-long', reason);
  if (type !== FRONTEND.copyData) throw new SessionError('08P01', reason);
  return encodeMessage(FRONTEND.copyFail, Buffer.from(`${reason}\0`));
}
