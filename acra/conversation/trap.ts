/**
 * What goes to the database in the place of a refused statement: one that always fails, also where a transaction has failed already, and
 * holds no value. Its error is recognised, and replaced by the refusal's.
 */
import type { Message } from '../../postgres/message-reader.ts';
import { FRONTEND } from '../../postgres/message-types.ts';
import { PARSE, QUERY } from '../../postgres/messages.ts';

const TRAP = "'acra refused'";
/** Its SQLSTATE. */
export const TRAP_ERROR = '42601';
/** Of the statement that a trap would be, where the client's own has no name or one that was not read. */
const NOBODYS_NAME = 'acra refused';

export interface Trap {
  readonly kind: 'query' | 'functionCall' | 'parse';
  /** Of the extended protocol: behind it the database passes over everything up to Sync. */
  readonly name?: string;
  readonly frame: Buffer;
}

export function trapFor({ type, body, skippedBytes }: Message): Trap {
  if (type === FRONTEND.query) return { kind: 'query', frame: QUERY.encode(TRAP) };
  if (type === FRONTEND.functionCall) return { kind: 'functionCall', frame: QUERY.encode(TRAP) };
  const isNamed = type === FRONTEND.parse && skippedBytes === undefined;
  const name = isNamed ? PARSE.decode(body)[0] : NOBODYS_NAME;
  return { kind: 'parse', name, frame: PARSE.encode(name, TRAP, []) };
}
