/**
 * One-dimensional arrays as parameters have them (PostgreSQL 18, "Array Input and Output Syntax"; src/backend/utils/adt/arrayfuncs.c).
 * Of several dimensions, and with other bounds than from 1, none is read.
 */
import { int32, withLength } from './integers.ts';
import { BodyReader } from './messages.ts';
import { SessionError } from './session-error.ts';

export const ARRAY_OIDS = { bytea: 1001, int4: 1007, text: 1009, int8: 1016 } as const;

type Element = Buffer | null;

const malformed = () => new SessionError('22P02', 'malformed array: one of one dimension is allowed');

/** Each is looked for from a place on: what matches a long element as a whole would need as much of the stack. */
const NOT_SPACE = /[^ \t\n\v\f\r]/g;
const IN_QUOTES = /["\\]/g;
const UNQUOTED = /["\\{},]/g;
const ENDS_IN_SPACE = /[ \t\n\v\f\r]$/;

/** Read front to back. */
class ArrayText {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Behind white space, which is no part of an element there; empty at the end. */
  get next(): string {
    this.#at = this.#find(NOT_SPACE, this.#at) ?? this.#text.length;
    return this.#text.charAt(this.#at);
  }

  take(): string {
    const taken = this.next;
    this.#at += 1;
    return taken;
  }

  quoted(): Element {
    const start = this.#at + 1;
    let end = this.#place(IN_QUOTES, start);
    while (this.#text.charAt(end) === '\\') end = this.#place(IN_QUOTES, end + 2);
    this.#at = end + 1;
    return this.#unescaped(start, end);
  }

  unquoted(): Element {
    const start = this.#at;
    let [end, escapedEnd] = [this.#place(UNQUOTED, start), start];
    while (this.#text.charAt(end) === '\\') {
      escapedEnd = end + 2;
      end = this.#place(UNQUOTED, escapedEnd);
    }
    this.#at = end;
    while (end > escapedEnd && ENDS_IN_SPACE.test(this.#text.charAt(end - 1))) end -= 1;
    if (end === start) throw malformed();
    return end - start === 4 && /^null$/i.test(this.#text.slice(start, end)) ? null : this.#unescaped(start, end);
  }

  #unescaped(start: number, end: number): Buffer {
    return Buffer.from(this.#text.slice(start, end).replaceAll(/\\(.)/gs, '$1'), 'latin1');
  }

  #find(what: RegExp, from: number): number | undefined {
    what.lastIndex = from;
    return what.exec(this.#text)?.index;
  }

  #place(what: RegExp, from: number): number {
    const found = this.#find(what, from);
    if (found === undefined) throw malformed();
    return found;
  }
}

/** @throws SessionError 22P02 */
export function arrayFromText(bytes: Buffer): Element[] {
  const text = new ArrayText(bytes.toString('latin1'));
  const elements: Element[] = [];
  if (text.take() !== '{') throw malformed();
  const isEmpty = text.next === '}';
  let separator = isEmpty ? text.take() : ',';
  while (separator === ',') {
    elements.push(text.next === '"' ? text.quoted() : text.unquoted());
    separator = text.take();
  }
  if (separator !== '}' || text.next !== '') throw malformed();
  return elements;
}

/** @throws SessionError 22P02 */
export function arrayFromBinary(bytes: Buffer): Element[] {
  try {
    const reader = new BodyReader(bytes);
    const dimensions = reader.int32();
    reader.bytes(8);
    if (dimensions === 0) return [];
    const count = reader.int32();
    reader.bytes(4);
    // Every element has four bytes at least, so that no length is believed that the message does not have.
    if (dimensions !== 1 || count < 0 || count > bytes.length / 4) throw malformed();
    return Array.from({ length: count }, () => reader.value());
  } catch (error) {
    throw error instanceof SessionError ? malformed() : error;
  }
}

/** The text form of an array. @param elements PostgreSQL's text of each */
export function arrayText(elements: readonly (string | null)[]): string {
  const quoted = (element: string) => `"${element.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
  return `{${elements.map((element) => (element === null ? 'NULL' : quoted(element))).join()}}`;
}

/** The binary form of an array. @param elements in binary form @param elementOid of their type */
export function arrayBinary(elements: readonly Element[], elementOid: number): Buffer {
  const isEmpty = elements.length === 0;
  const header = [isEmpty ? 0 : 1, elements.includes(null) ? 1 : 0, elementOid];
  const bounds = isEmpty ? [] : [elements.length, 1];
  return Buffer.concat([...[...header, ...bounds].map(int32), ...elements.flatMap(withLength)]);
}
