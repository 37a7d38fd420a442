/** ErrorResponse: fields of one letter and text each, then an empty one (PostgreSQL 18, "Error and Notice Message Fields"). */
import { BACKEND } from './message-types.ts';
import { encodeMessage } from './messages.ts';

export interface ErrorReport {
  /** ERROR: the session goes on; FATAL: it ends; PANIC: all do. */
  readonly severity: string;
  /** Five characters (PostgreSQL manual, appendix A). */
  readonly sqlState: string;
  readonly message: string;
  readonly hint: string;
}

/** The whole message, UTF-8. Zero bytes cannot stand in it and are left out. */
export function encodeError(severity: 'ERROR' | 'FATAL', sqlState: string, message: string, hint = ''): Buffer {
  const texts = [`M${message}`, ...(hint === '' ? [] : [`H${hint}`])].map((text) => text.replaceAll('\0', ''));
  const fields = [`S${severity}`, `V${severity}`, `C${sqlState}`, ...texts, ''];
  return encodeMessage(BACKEND.errorResponse, Buffer.from(fields.map((field) => `${field}\0`).join('')));
}

/** PostgreSQL has less than twenty; who answers may not be PostgreSQL. */
const MAX_FIELDS = 64;

/**
 * What an ErrorResponse says; a field that is missing is empty. Severity: the one that is not translated, where the server sends it (9.6 and later).
 * @param body without type and length
 */
export function parseError(body: Buffer): ErrorReport {
  const fields = new Map<string, string>();
  for (let at = 0, count = 0; at < body.length && body[at] !== 0 && count < MAX_FIELDS; count += 1) {
    const found = body.indexOf(0, at);
    const end = found === -1 ? body.length : found;
    const field = body.toString('utf8', at, end);
    fields.set(field.charAt(0), field.slice(1));
    at = end + 1;
  }
  const of = (letter: string) => fields.get(letter) ?? '';
  return { severity: of('V') || of('S'), sqlState: of('C'), message: of('M'), hint: of('H') };
}
