/**
 * Cuts acra-server's log into lines of bounded size without losing what they say. Some records quote a whole statement, value
 * or name that a client chose (`error`, `placeholder`, `portal`, `statement`), at any length and between fields that matter;
 * so it is the quoted strings that are shortened, one by one, and not the line. Both of its formats (JSON, and the key=value
 * text that comes before the format is known; acra-server contract 3.6) quote strings in the same way: `"`, escapes by `\`.
 */

/** Longer than any text that passes (log-messages.ts, log-errors.ts), so that a shortened one is never taken for one of those. */
export const MAX_STRING_BYTES = 2_048;
/** A record has some twenty fields, whose names are the program's own. */
const MAX_LINE_BYTES = 64 * 1024;

const LINE_FEED = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

export interface LogLine {
  /** Without its end; strings over MAX_STRING_BYTES are shortened. */
  readonly text: string;
  /** As it was written. */
  readonly writtenBytes: number;
  /** What does not fit even so was left out at the end: the text is no record any more. */
  readonly isCut: boolean;
}

export class LogLines {
  readonly #onLine: (line: LogLine) => void;
  readonly #kept = Buffer.alloc(MAX_LINE_BYTES);
  #keptBytes = 0;
  #writtenBytes = 0;
  #isCut = false;
  /** Where in `#kept` the string begins that is being read. */
  #stringStart: number | undefined;
  #stringBytes = 0;
  #isEscaped = false;

  constructor(onLine: (line: LogLine) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    for (const byte of chunk) {
      if (byte === LINE_FEED) this.#finish();
      else this.#take(byte);
    }
  }

  /** The stream has ended: what is left is a line too. */
  end(): void {
    if (this.#writtenBytes > 0) this.#finish();
  }

  #take(byte: number): void {
    this.#writtenBytes += 1;
    if (this.#stringStart === undefined) {
      this.#keep(byte);
      if (byte === QUOTE) this.#stringStart = this.#keptBytes;
      return;
    }
    if (byte === QUOTE && !this.#isEscaped) {
      this.#closeString(this.#stringStart);
      return;
    }
    this.#isEscaped = byte === BACKSLASH && !this.#isEscaped;
    this.#stringBytes += 1;
    if (this.#stringBytes <= MAX_STRING_BYTES) this.#keep(byte);
  }

  #closeString(start: number): void {
    if (this.#stringBytes > MAX_STRING_BYTES) this.#dropPartOfEscape(start);
    this.#stringStart = undefined;
    this.#stringBytes = 0;
    this.#keep(QUOTE);
  }

  /** A string must not end in half an escape (`\`, `\u00`): whatever may be the beginning of one goes. */
  #dropPartOfEscape(start: number): void {
    const end = this.#kept.subarray(Math.max(start, this.#keptBytes - 5), this.#keptBytes).toString('latin1');
    const begun = /\\u?[0-9a-fA-F]{0,3}$/.exec(end);
    if (!begun) return;
    this.#keptBytes -= begun[0].length;
    while (this.#keptBytes > start && this.#kept[this.#keptBytes - 1] === BACKSLASH) this.#keptBytes -= 1;
  }

  #keep(byte: number): void {
    if (this.#keptBytes === MAX_LINE_BYTES) {
      this.#isCut = true;
      return;
    }
    this.#kept[this.#keptBytes] = byte;
    this.#keptBytes += 1;
  }

  #finish(): void {
    const line = {
      text: this.#kept.toString('utf8', 0, this.#keptBytes),
      writtenBytes: this.#writtenBytes,
      isCut: this.#isCut,
    };
    this.#keptBytes = 0;
    this.#writtenBytes = 0;
    this.#isCut = false;
    this.#stringStart = undefined;
    this.#stringBytes = 0;
    this.#isEscaped = false;
    if (line.text !== '') this.#onLine(line);
  }
}
