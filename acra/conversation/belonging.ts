/**
 * Which messages belong to a session behind its login (PostgreSQL 18, "Message Formats"). A database that asks for a login once more would
 * have drivers send it their password, and one that asks for COPY data that nobody has offered what the client reads next, a file of
 * statements for example: neither gets that far.
 */
import type { Message } from '../../postgres/message-reader.ts';
import { BACKEND, FRONTEND } from '../../postgres/message-types.ts';
import { SessionError } from '../../postgres/session-error.ts';
import type { CopyStream } from '../statements/copy-stream.ts';
import { Refusal } from '../statements/refusal.ts';
import { type Request, streamsOf } from './request.ts';

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

/**
 * COPY's answers begin nothing that was not asked for, and each in its turn: else the client would take what it sends or gets for another
 * statement's.
 * @param request under way @throws SessionError 08P01
 */
export function requireWanted(type: string, request: Request | undefined): void {
  if (type === BACKEND.copyInResponse) {
    const { asked = 0, at = 0 } = request ?? {};
    if (request) request.asked = asked + 1;
    if (request && streamsOf(request, 'in')[asked]?.at === at) return;
    throw new SessionError('08P01', 'the database asks for COPY data that nobody has offered');
  }
  if (type !== BACKEND.copyOutResponse || copiedOut(request)) return;
  throw new SessionError('08P01', 'the database offers COPY data that nobody has asked for');
}

/** The COPY … TO STDOUT under way. */
export function copiedOut(request: Request | undefined): CopyStream | undefined {
  return request && streamsOf(request, 'out').find(({ at }) => at === (request.at ?? 0));
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

/** Of a message that was too long, or found no room beside others of its client, and was thrown away as it came. */
export function tooLong({ skippedBytes, hadNoRoom }: Message): Refusal {
  const what = `a message of ${skippedBytes} bytes`;
  const reason = hadNoRoom
    ? `${what} finds no room: too many long messages of this client are under way; try again`
    : `${what} is too long`;
  return new Refusal(hadNoRoom ? 'busy' : 'too-long', reason);
}

/** @throws Refusal 54000, 53200; SessionError 08P01 for one that has no such length */
export function refuseTooLong(message: Message): never {
  const refusal = tooLong(message);
  throw REFUSABLE.includes(message.type) ? refusal : new SessionError('08P01', refusal.message);
}
