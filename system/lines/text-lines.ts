/**
 * Cuts bytes of a stranger (a serial console, a program's complaints) into lines that may be shown on a terminal: control
 * characters are made visible, and no line grows without bound.
 */
import { harmlessText } from '../../runtime/harmless-text.ts';

const LINE_FEED = 0x0a;
const MAX_LINE_BYTES = 4_096;

/** `ESC [ … m`, which only colours. */
const COLOUR = new RegExp(`${String.fromCharCode(0x1b)}\\[[0-9;]*m`, 'g');

export class TextLines {
  readonly #onLine: (line: string) => void;
  #pending: Buffer = Buffer.alloc(0);

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let rest = Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const end = rest.indexOf(LINE_FEED);
      if (end === -1 && rest.length < MAX_LINE_BYTES) break;
      const cut = end === -1 || end > MAX_LINE_BYTES;
      this.#tell(rest.subarray(0, cut ? MAX_LINE_BYTES : end));
      rest = rest.subarray(cut ? MAX_LINE_BYTES : end + 1);
    }
    this.#pending = Buffer.from(rest);
  }

  /** What is left without a line's end is a line too. */
  end(): void {
    if (this.#pending.length > 0) this.#tell(this.#pending);
    this.#pending = Buffer.alloc(0);
  }

  #tell(bytes: Buffer): void {
    this.#onLine(harmlessText(bytes.toString('utf8').replace(/\r+$/, '').replace(COLOUR, '')));
  }
}
