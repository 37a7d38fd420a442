/**
 * Appends lines to a file that may refuse them: a full disk, a broken one, a pipe that nobody reads any more. What nobody
 * can read is no reason to stop forwarding, so a refused line is counted, told once on standard error, and left out;
 * each further line is tried again.
 *
 * The file may be renamed, removed or emptied by whoever rotates logs (logrotate(8)): before each line the writer looks whether the
 * name still stands for the file that it holds, and appends at the end that the file has then (O_APPEND).
 */
import { closeSync, constants, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import { describeError, errorCode } from '../../runtime/errors.ts';
import { pauseThread } from '../../runtime/pause.ts';

const FILE_MODE = 0o640;
/** Whatever has taken the name meanwhile, a pipe without a reader say, must not hold the daemon. */
const REOPEN_FLAGS =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOCTTY;
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
  readonly #file: string | undefined;
  readonly #complain: (text: string) => void;
  readonly #write: (fd: number, bytes: Buffer, offset: number) => number;
  #fd: number | undefined;
  /** The last line went out in part: the next one must not be taken for its end. */
  #isCut = false;
  #isRefusing = false;
  #refused = 0;
  /** The name stands for a file that cannot be opened. */
  #isAstray = false;

  /** @throws the system's error when the file cannot be opened for appending */
  constructor({ file, complain = complainOnStderr, write = writeSync }: LineWriterOptions) {
    this.#name = file ?? 'standard output';
    this.#file = file;
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
    this.reopen();
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

  /** Goes over to the file that the name stands for now. What cannot be opened is told once; the lines then go where they went. */
  reopen(): void {
    if (this.#file === undefined || this.#fd === undefined || this.#isNamed(this.#file, this.#fd)) return;
    try {
      const fd = openSync(this.#file, REOPEN_FLAGS, FILE_MODE);
      closeSync(this.#fd);
      this.#fd = fd;
      this.#isCut = false;
      this.#isAstray = false;
    } catch (error) {
      if (!this.#isAstray) {
        this.#complain(`cannot open ${this.#name} anew, going on with the file that it was: ${describeError(error)}`);
      }
      this.#isAstray = true;
    }
  }

  #isNamed(file: string, fd: number): boolean {
    const named = statSync(file, { bigint: true, throwIfNoEntry: false });
    const held = fstatSync(fd, { bigint: true });
    return named?.ino === held.ino && named.dev === held.dev;
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
    if (this.#file !== undefined && this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
