/**
 * One-dimensional arrays as parameters have them (PostgreSQL 18, "Array Input and Output Syntax"; src/backend/utils/adt/arrayfuncs.c).
 * Of several dimensions, and with other bounds than from 1, none is read.
 */
import { BodyReader } from './messages.ts';
import { SessionError } from './session-error.ts';

export const ARRAY_OIDS = { bytea: 1001, int4: 1007, text: 1009, int8: 1016 } as const;

type Element = Buffer | null;

const malformed = () => new SessionError('22P02', 'malformed array: one of one dimension is allowed');

/** Without escapes and quotes, white space around it is not part of an element. */
const UNQUOTED = /[ \t\n\v\f\r]*((?:\\.|[^\\"{},])*?)[ \t\n\v\f\r]*([,}])/sy;
const QUOTED = /[ \t\n\v\f\r]*"((?:\\.|[^\\"])*)"[ \t\n\v\f\r]*([,}])/sy;
const EMPTY = /^[ \t\n\v\f\r]*\{[ \t\n\v\f\r]*\}[ \t\n\v\f\r]*$/;
const BEGINS = /[ \t\n\v\f\r]*\{/y;
const ONLY_SPACE = /^[ \t\n\v\f\r]*$/;

/** @throws SessionError 22P02 */
export function arrayFromText(bytes: Buffer): Element[] {
  const text = bytes.toString('latin1');
  if (EMPTY.test(text)) return [];
  BEGINS.lastIndex = 0;
  if (!BEGINS.test(text)) throw malformed();
  const elements: Element[] = [];
  for (let at = BEGINS.lastIndex; ; ) {
    QUOTED.lastIndex = at;
    const quoted = QUOTED.exec(text);
    UNQUOTED.lastIndex = at;
    const found = quoted ?? UNQUOTED.exec(text);
    const written = found?.[1];
    if (!found || written === undefined || (!quoted && written === '')) throw malformed();
    const isNull = !quoted && written.toUpperCase() === 'NULL';
    elements.push(isNull ? null : Buffer.from(written.replaceAll(/\\(.)/gs, '$1'), 'latin1'));
    at = (quoted ? QUOTED : UNQUOTED).lastIndex;
    if (found[2] === ',') continue;
    if (!ONLY_SPACE.test(text.slice(at))) throw malformed();
    return elements;
  }
}

/** @throws SessionError 22P02 */
export function arrayFromBinary(bytes: Buffer): Element[] {
  try {
    const reader = new BodyReader(bytes);
    const dimensions = reader.bytes(4).readInt32BE();
    reader.bytes(8);
    if (dimensions === 0) return [];
    const count = reader.bytes(4).readInt32BE();
    reader.bytes(4);
    // Every element has four bytes at least, so that no length is believed that the message does not have.
    if (dimensions !== 1 || count < 0 || count > bytes.length / 4) throw malformed();
    return Array.from({ length: count }, () => reader.value());
  } catch (error) {
    throw error instanceof SessionError ? malformed() : error;
  }
}

/** The text form of bytea[]. */
export function byteaArrayText(elements: readonly Element[]): string {
  return `{${elements.map((element) => (element === null ? 'NULL' : `"\\\\x${element.toString('hex')}"`)).join()}}`;
}

/** The binary form of bytea[]. */
export function byteaArray(elements: readonly Element[]): Buffer {
  const header = Buffer.alloc(elements.length === 0 ? 12 : 20);
  header.writeInt32BE(elements.length === 0 ? 0 : 1, 0);
  header.writeInt32BE(elements.includes(null) ? 1 : 0, 4);
  header.writeInt32BE(17, 8);
  if (elements.length > 0) {
    header.writeInt32BE(elements.length, 12);
    header.writeInt32BE(1, 16);
  }
  const parts = elements.flatMap((element) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(element === null ? -1 : element.length);
    return element === null ? [length] : [length, element];
  });
  return Buffer.concat([header, ...parts]);
}
