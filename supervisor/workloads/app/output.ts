/**
 * What a program of an application prints, line by line, for the parent's log. Where the log takes no more, the program waits at its pipe
 * for a while; when nothing is taken even then (the parent has no host-proxy, say), lines are left out, counted, and the count is told: no
 * program hangs for a parent, and no line is missing in silence.
 */
import type { Clock } from '../../../runtime/clock.ts';
import type { Logger } from '../../../runtime/log.ts';
import { type LinePiece, LinePieces } from '../../../system/lines/line-pieces.ts';
import type { OutputLog } from '../../control/log-buffer.ts';

export const OUTPUT_EVENT = 'program.output';

/** A value of a record has no more characters (control/bounded-record.ts), and each byte may become four. */
const MAX_TEXT_CHARACTERS = 2_000;
const MAX_PIECE_BYTES = 2_000;
/** Read and not yet handed on; then the program's pipe fills. */
const MAX_QUEUED_BYTES = 256 * 1024;
/** For how long the program may wait for the parent. */
const PATIENCE_MS = 2_000;

interface Source {
  readonly name: string;
  readonly stream: NodeJS.ReadableStream;
  readonly pieces: LinePieces;
}

interface Read {
  readonly source: Source;
  /** Undefined: the stream has ended. */
  readonly chunk: Buffer | undefined;
}

export interface ProgramOutputDeps {
  readonly program: string;
  readonly outputLog: OutputLog;
  readonly logger: Logger;
  readonly clock: Clock;
}

export class ProgramOutput {
  readonly #deps: ProgramOutputDeps;
  #sources: Source[] = [];
  readonly #queue: Read[] = [];
  #queuedBytes = 0;
  #isHeld = false;
  /** The process has ended: its pipes are read to their end whatever happens. */
  #isEnding = false;
  /** Nothing was taken for as long as we wait; no more waits until something is. */
  #isUntaken = false;
  /** Not told in the log yet: it is told with the next line that is taken. */
  #lost = { pieces: 0, characters: 0 };
  #lostPieces = 0;
  #draining: Promise<void> = Promise.resolve();
  #isDraining = false;

  constructor(deps: ProgramOutputDeps) {
    this.#deps = deps;
  }

  /** Listens to a process that was just launched. */
  attach([stdout, stderr]: readonly (NodeJS.ReadableStream | null | undefined)[]): void {
    this.#isEnding = false;
    this.#sources = [];
    for (const [name, stream] of [
      ['stdout', stdout],
      ['stderr', stderr],
    ] as const) {
      if (!stream) continue;
      const source: Source = { name, stream, pieces: new LinePieces(MAX_PIECE_BYTES) };
      this.#sources.push(source);
      stream.on('data', (chunk: Buffer) => this.#take({ source, chunk }));
      stream.on('end', () => this.#take({ source, chunk: undefined }));
    }
    if (this.#isHeld) this.#hold();
  }

  /** The process has ended. */
  ending(): void {
    this.#isEnding = true;
    this.#letGo();
  }

  /** Lines, and pieces of long ones, that were left out since the program was first launched. */
  get lostPieces(): number {
    return this.#lostPieces;
  }

  /** Resolves when all that was read has been handed on, or left out. */
  get settled(): Promise<void> {
    return this.#draining;
  }

  #take(read: Read): void {
    this.#queue.push(read);
    this.#queuedBytes += read.chunk?.length ?? 0;
    if (this.#queuedBytes > MAX_QUEUED_BYTES && !this.#isEnding) this.#hold();
    if (!this.#isDraining) this.#draining = this.#drain();
  }

  #hold(): void {
    this.#isHeld = true;
    for (const { stream } of this.#sources) stream.pause();
  }

  #letGo(): void {
    this.#isHeld = false;
    for (const { stream } of this.#sources) stream.resume();
  }

  async #drain(): Promise<void> {
    this.#isDraining = true;
    for (let read = this.#queue.shift(); read !== undefined; read = this.#queue.shift()) {
      const { source, chunk } = read;
      for (const piece of chunk === undefined ? source.pieces.end() : source.pieces.push(chunk)) {
        if (!this.#deps.outputLog.hasRoom && !this.#isUntaken) await this.#untilRoom();
        this.#write(source.name, piece);
      }
      this.#queuedBytes -= chunk?.length ?? 0;
      // Perhaps nothing comes after it that would tell.
      if (chunk === undefined) this.#tellLost();
      if (this.#isHeld && 2 * this.#queuedBytes < MAX_QUEUED_BYTES) this.#letGo();
    }
    this.#isDraining = false;
  }

  #write(stream: string, { text, part, isLast }: LinePiece): void {
    const { outputLog, program } = this.#deps;
    if (!outputLog.hasRoom) {
      this.#lostPieces += 1;
      this.#lost.pieces += 1;
      this.#lost.characters += text.length;
      return;
    }
    this.#isUntaken = false;
    this.#tellLost();
    const place = part === 1 && isLast ? {} : { part, isLast };
    for (const slice of slicesOf(text)) outputLog.log('info', OUTPUT_EVENT, { program, stream, text: slice, ...place });
  }

  #tellLost(): void {
    const { pieces: lines, characters } = this.#lost;
    if (lines === 0) return;
    this.#lost = { pieces: 0, characters: 0 };
    this.#deps.logger.log('warn', 'program.output-lost', { program: this.#deps.program, lines, characters });
  }

  async #untilRoom(): Promise<void> {
    const { outputLog, clock } = this.#deps;
    const patience = new AbortController();
    const forget = outputLog.onTaken(() => {
      if (outputLog.hasRoom) patience.abort();
    });
    await clock.sleep(PATIENCE_MS, patience.signal).catch(() => undefined);
    forget();
    this.#isUntaken = !outputLog.hasRoom;
    if (this.#isUntaken) this.#tellUntaken();
  }

  #tellUntaken(): void {
    const { logger, program } = this.#deps;
    logger.log('warn', 'program.output-untaken', { program, waitedMs: PATIENCE_MS });
  }
}

/** No character in two. */
function* slicesOf(text: string): Generator<string> {
  if (text.length <= MAX_TEXT_CHARACTERS) {
    yield text;
    return;
  }
  for (let at = 0; at < text.length; ) {
    const end = at + MAX_TEXT_CHARACTERS;
    const isCut = (text.codePointAt(end - 1) ?? 0) > 0xffff;
    const next = isCut ? end - 1 : end;
    yield text.slice(at, next);
    at = next;
  }
}
