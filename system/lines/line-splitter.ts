/** Cuts a child's output into lines without ever holding more than one bounded line: a 10 MiB line must not stop the pump. */

export class LineSplitter {
  readonly #maxBytes: number;
  readonly #onLine: (line: string, wasCut: boolean) => void;
  #parts: Buffer[] = [];
  #length = 0;
  #skipping = false;

  constructor(maxBytes: number, onLine: (line: string, wasCut: boolean) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    for (let end = rest.indexOf(0x0a); end !== -1; end = rest.indexOf(0x0a)) {
      this.#append(rest.subarray(0, end));
      this.#finish();
      rest = rest.subarray(end + 1);
    }
    this.#append(rest);
  }

  /** The stream has ended: what is left is a line too. */
  end(): void {
    if (this.#length > 0) this.#finish();
  }

  #append(part: Buffer): void {
    const room = this.#maxBytes - this.#length;
    if (part.length > room) this.#skipping = true;
    const kept = part.subarray(0, Math.max(0, room));
    if (kept.length > 0) this.#parts.push(Buffer.from(kept));
    this.#length += kept.length;
  }

  #finish(): void {
    this.#onLine(Buffer.concat(this.#parts).toString('utf8'), this.#skipping);
    this.#parts = [];
    this.#length = 0;
    this.#skipping = false;
  }
}
