/**
 * Cuts bytes of a stranger into lines of any length, without losing one: a long line comes in pieces. What is no UTF-8, and what a
 * terminal would obey, is shown as `\xNN`.
 */
import { isUtf8 } from 'node:buffer';
import { harmlessText } from '../../runtime/harmless-text.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** RFC 3629: no character has more. */
const MAX_UTF8_BYTES = 4;

export interface LinePiece {
  readonly text: string;
  /** From 1, within its line. */
  readonly part: number;
  readonly isLast: boolean;
}

export class LinePieces {
  readonly #maxBytes: number;
  #pending: Buffer = Buffer.alloc(0);
  #part = 1;

  /** @param maxBytes of a piece; its text may have four times as many characters */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  *push(chunk: Buffer): Generator<LinePiece> {
    let rest = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const end = rest.indexOf(LINE_FEED);
      if (end !== -1 && end <= this.#maxBytes) {
        yield this.#piece(rest.subarray(0, end), true);
        rest = rest.subarray(end + 1);
      } else if (rest.length > this.#maxBytes) {
        const length = wholeCharacters(rest, this.#maxBytes);
        yield this.#piece(rest.subarray(0, length), false);
        rest = rest.subarray(length);
      } else break;
    }
    this.#pending = Buffer.from(rest);
  }

  /** What is left without a line's end is a line too. */
  *end(): Generator<LinePiece> {
    if (this.#pending.length > 0 || this.#part > 1) yield this.#piece(this.#pending, true);
    this.#pending = Buffer.alloc(0);
  }

  #piece(bytes: Buffer, isLast: boolean): LinePiece {
    const part = this.#part;
    this.#part = isLast ? 1 : part + 1;
    const line = isLast && bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes;
    return { text: harmlessText(readable(line)), part, isLast };
  }
}

/** At most `maxBytes`, so that no character of the text is cut in two. */
function wholeCharacters(bytes: Buffer, maxBytes: number): number {
  for (let length = maxBytes; length > maxBytes - MAX_UTF8_BYTES; length -= 1) {
    // A byte that begins a character, or is one.
    if (((bytes[length] ?? 0) & 0xc0) !== 0x80) return length;
  }
  return maxBytes;
}

function readable(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((count) => isUtf8(bytes.subarray(at, at + count)) && at + count <= bytes.length);
    if (length === undefined) text += `\\x${(bytes[at] ?? 0).toString(16).padStart(2, '0')}`;
    else text += bytes.toString('utf8', at, at + length);
    at += length ?? 1;
  }
  return text;
}
