/** The newest lines of something that goes on for ever, for who asks later, and each new one for who follows. */

export interface LineLimits {
  readonly maxLines: number;
  /** Whoever writes long lines loses old ones sooner. */
  readonly maxBytes: number;
}

export class LineBuffer {
  readonly #limits: LineLimits;
  #lines: string[] = [];
  #bytes = 0;
  readonly #followers = new Set<(line: string) => void>();

  constructor(limits: LineLimits) {
    this.#limits = limits;
  }

  push(line: string): void {
    const { maxLines, maxBytes } = this.#limits;
    this.#lines.push(line);
    this.#bytes += Buffer.byteLength(line);
    while (this.#lines.length > maxLines || this.#bytes > maxBytes) {
      this.#bytes -= Buffer.byteLength(this.#lines.shift() ?? '');
    }
    for (const follow of this.#followers) follow(line);
  }

  /** At most the newest `count`, oldest first. */
  tail(count: number): readonly string[] {
    return count === 0 ? [] : this.#lines.slice(-count);
  }

  /** @returns ends the following. */
  follow(onLine: (line: string) => void): () => void {
    this.#followers.add(onLine);
    return () => this.#followers.delete(onLine);
  }
}
