/**
 * Appends lines to a file that may refuse them: a full disk, a broken one, a pipe that nobody reads any more. What nobody
 * can read is no reason to stop forwarding, so a refused line is counted, told once on standard error, and left out;
 * each further line is tried again.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { describeError, errorCode } from '../../runtime/errors.ts';
import { pauseThread } from '../../runtime/pause.ts';

const FILE_MODE = 0o640;
const STDOUT = 1;
const STDERR = 2;
const LINE_FEED = 0x0a;
/** A pipe may be full for a moment (EAGAIN); nobody waits for long for a reader that takes nothing. */
const POLL_MS = 10;
const PATIENCE_MS = 1_000;

interface LineWriterOptions {
  /** Absolute path; standard output when absent. */
  readonly file: string | undefined;
  readonly complain?: (text: string) => void;
  readonly write?: (fd: number, bytes: Buffer, offset: number) => number;
}

function complainOnStderr(text: string): void {
  try {
    writeSync(STDERR, `${text}\n`);
  } catch {
    // Nobody is left to tell.
  }
}

export class LineWriter {
  readonly #name: string;
  readonly #ownsFile: boolean;
  readonly #complain: (text: string) => void;
  readonly #write: (fd: number, bytes: Buffer, offset: number) => number;
  #fd: number | undefined;
  /** The last line went out in part: the next one must not be taken for its end. */
  #isCut = false;
  #isRefusing = false;
  #refused = 0;

  /** @throws the system's error when the file cannot be opened for appending */
  constructor({ file, complain = complainOnStderr, write = writeSync }: LineWriterOptions) {
    this.#name = file ?? 'standard output';
    this.#ownsFile = file !== undefined;
    this.#complain = complain;
    this.#write = write;
    this.#fd = file === undefined ? STDOUT : openSync(file, 'a', FILE_MODE);
  }

  /** Attempts that failed, since the beginning. */
  get refused(): number {
    return this.#refused;
  }

  /** @returns whether the whole line is in the file. */
  write(line: string): boolean {
    if (this.#fd === undefined) return false;
    try {
      this.#writeAll(this.#fd, Buffer.from(this.#isCut ? `\n${line}\n` : `${line}\n`));
    } catch (error) {
      this.#refused += 1;
      if (!this.#isRefusing) this.#complain(`cannot write to ${this.#name}, going on without: ${describeError(error)}`);
      this.#isRefusing = true;
      return false;
    }
    if (this.#isRefusing) this.#complain(`${this.#name} can be written again; ${this.#refused} attempts had failed`);
    this.#isRefusing = false;
    return true;
  }

  #writeAll(fd: number, bytes: Buffer): void {
    let waitedMs = this.#isRefusing ? PATIENCE_MS : 0;
    for (let written = 0; written < bytes.length; ) {
      try {
        written += this.#write(fd, bytes, written);
        this.#isCut = bytes[written - 1] !== LINE_FEED;
      } catch (error) {
        if (errorCode(error) !== 'EAGAIN' || waitedMs >= PATIENCE_MS) throw error;
        pauseThread(POLL_MS);
        waitedMs += POLL_MS;
      }
    }
  }

  close(): void {
    if (this.#ownsFile && this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
