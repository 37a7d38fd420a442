/**
 * Where the lines of COPY's text and CSV data end, as PostgreSQL finds it (CopyReadLineText in PostgreSQL 18,
 * src/backend/commands/copyfromparse.c). The first line end decides for all. In text a backslash takes the next byte with it, and
 * `\.` alone on a line ends the data; in CSV a quoted line end is none, and `\.` is data (before PostgreSQL 18 it was the end).
 *
 *   text:  ┌──────┐ \ ┌─────────┐ .  ┌────────┐ line end             CSV:  ┌──────┐ quote ┌────────┐
 *          │ line │──▶│ escaped │───▶│ marker │─────────▶ ended             │ line │◀─────▶│ quoted │
 *          └──────┘◀──└─────────┘    └────────┘                           └──────┘       └────────┘
 *          any other byte
 *          CR, where CRLF is still possible: `return`, and the next byte decides
 */
import { Accumulator } from './accumulator.ts';
import { badCopyData, type CopyItem, type CopyReader, frameOf, requireShort } from './format.ts';

const [LF, CR, BACKSLASH, DOT] = [0x0a, 0x0d, 0x5c, 0x2e];
const NO_BYTE = -1;

export interface LineFormat {
  /** CSV has quotes; text has none. */
  readonly quoting: { readonly quote: number; readonly escaping: number } | undefined;
  readonly hasHeader: boolean;
  /** @param line without its end. @throws SessionError 22P04 */
  split(line: Buffer): { readonly cells: readonly Buffer[]; readonly rest?: Buffer };
  readonly separator: Buffer;
}

type State = 'line' | 'return' | 'escaped' | 'marker' | 'marker-return' | 'ended';
const EMPTY = Buffer.alloc(0);

export class LineReader implements CopyReader {
  readonly #format: LineFormat;
  readonly #maxRowBytes: number;
  readonly #quote: number;
  readonly #escape: number;
  readonly #isCsv: boolean;
  readonly #held = new Accumulator();
  #state: State = 'line';
  #lineEnd: 'unknown' | 'LF' | 'CR' | 'CRLF' = 'unknown';
  #isQuoted = false;
  #wasEscape = false;
  #isHeaderNext: boolean;

  constructor(format: LineFormat, maxRowBytes: number) {
    this.#format = format;
    this.#maxRowBytes = maxRowBytes;
    this.#isCsv = format.quoting !== undefined;
    const { quote = NO_BYTE, escaping = NO_BYTE } = format.quoting ?? {};
    this.#quote = quote;
    // A quote that escapes itself opens and closes, which comes to the same.
    this.#escape = escaping === quote ? NO_BYTE : escaping;
    this.#isHeaderNext = format.hasHeader;
  }

  get heldBytes(): number {
    return this.#held.length;
  }

  *push(bytes: Buffer): Generator<CopyItem> {
    let from = 0;
    try {
      while (from < bytes.length && this.#state !== 'ended') {
        const end = this.#scan(bytes, from);
        requireShort(this.#held.length + (end === -1 ? bytes.length : end) - from, this.#maxRowBytes);
        if (end === -1) return;
        const item = this.#item(bytes.subarray(from, end), this.#lineEnd === 'CRLF' ? 2 : 1);
        from = end;
        yield item;
      }
      if (from < bytes.length) yield frameOf(bytes.subarray(from), 'ignored');
      from = bytes.length;
    } finally {
      this.#held.append(bytes.subarray(from));
    }
  }

  end(): CopyItem | undefined {
    if (this.#state === 'ended') return undefined;
    if (this.#state === 'return' && this.#lineEnd === 'CRLF') throw this.#strayReturn();
    if (this.#state === 'marker' || this.#state === 'marker-return') throw notAlone();
    return this.#held.length > 0 ? this.#item(EMPTY, this.#state === 'return' ? 1 : 0) : undefined;
  }

  rest(): Buffer {
    return this.#held.take();
  }

  /** @param last what it has beside what is held @param endBytes of the line end. @throws SessionError 22P04, and holds what it held */
  #item(last: Buffer, endBytes: number): CopyItem {
    const line = this.#held.length === 0 ? last : this.#held.take(last);
    if (this.#state === 'ended') return frameOf(line);
    const length = line.length - endBytes;
    this.#state = 'line';
    try {
      const { cells, rest = EMPTY } = this.#format.split(line.subarray(0, length));
      const tail = Buffer.concat([rest, line.subarray(length)]);
      const kind = this.#isHeaderNext ? 'header' : 'row';
      this.#isHeaderNext = false;
      return { kind, head: EMPTY, cells, separator: this.#format.separator, tail };
    } catch (error) {
      this.#held.append(line.subarray(0, line.length - last.length));
      throw error;
    }
  }

  /** @returns where the line ends; -1: not in these bytes */
  #scan(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at += 1) {
      const byte = bytes[at] as number;
      if (this.#state === 'line') {
        if (this.#isCsv) this.#minds(byte);
        else if (byte === BACKSLASH) {
          this.#state = 'escaped';
          continue;
        }
        if ((byte === LF || byte === CR) && !this.#isQuoted && this.#endsWith(byte)) return at + 1;
        continue;
      }
      if (this.#state === 'return') {
        if (byte !== LF && this.#lineEnd === 'CRLF') throw this.#strayReturn();
        this.#lineEnd = byte === LF ? 'CRLF' : 'CR';
        return byte === LF ? at + 1 : at;
      }
      if (this.#state !== 'escaped') {
        if (this.#endsMarker(byte)) return at + 1;
        continue;
      }
      const isFirst = this.#held.length + at - from === 1;
      if (byte === DOT && !isFirst) throw notAlone();
      this.#state = byte === DOT ? 'marker' : 'line';
    }
    return -1;
  }

  /** An escape counts within quotes only, and not behind another escape. */
  #minds(byte: number): void {
    if (this.#isQuoted && byte === this.#escape) this.#wasEscape = !this.#wasEscape;
    if (byte === this.#quote && !this.#wasEscape) this.#isQuoted = !this.#isQuoted;
    if (byte !== this.#escape) this.#wasEscape = false;
  }

  /** @returns false where the next byte decides */
  #endsWith(byte: number): boolean {
    const known = this.#lineEnd;
    if (byte === LF) {
      if (known === 'CR' || known === 'CRLF') throw badCopyData(`${this.#kind} newline found in data of COPY`);
      this.#lineEnd = 'LF';
      return true;
    }
    if (known === 'LF') throw this.#strayReturn();
    if (known === 'CR') return true;
    this.#state = 'return';
    return false;
  }

  #endsMarker(byte: number): boolean {
    const known = this.#lineEnd;
    if (byte !== LF && byte !== CR) throw notAlone();
    if (known === 'CRLF' && this.#state === 'marker') {
      if (byte === LF) throw otherLineEnd();
      this.#state = 'marker-return';
      return false;
    }
    if (known !== 'unknown' && byte !== (known === 'CR' ? CR : LF)) throw otherLineEnd();
    this.#state = 'ended';
    return true;
  }

  get #kind(): string {
    return this.#isCsv ? 'unquoted' : 'literal';
  }

  #strayReturn() {
    return badCopyData(`${this.#kind} carriage return found in data of COPY`);
  }
}

const notAlone = () => badCopyData('the end-of-copy marker is not alone on its line');
const otherLineEnd = () => badCopyData('the end-of-copy marker does not match the newlines before it');
