/**
 * Rows and COPY data on their way to the client, in order. The next ones are read while those before are still with the protector: two
 * lots at most, so that neither of both waits for the other, and a client that does not take its rows holds the database back. Whatever
 * else the database says waits until all are delivered.
 *
 *   database   rows 1   rows 2   rows 3 …          CommandComplete
 *   protector    ├────────┤
 *                         ├────────┤ ├────────┤
 *   client              rows 1   rows 2   rows 3   CommandComplete
 */
import { encodeError } from '../../postgres/error-response.ts';
import type { Message } from '../../postgres/message-reader.ts';
import { BACKEND } from '../../postgres/message-types.ts';
import type { ReplyQueue } from '../../postgres/reply-queue.ts';
import { Refusal } from '../statements/refusal.ts';
import type { Request } from './request.ts';
import type { Results } from './results.ts';

/** What more is not held twice, but waited for. */
const MAX_AHEAD_BYTES = 512 * 1024;

export interface AnswerSink {
  /** Takes what is for the client, in order. */
  deliver(frames: readonly Buffer[]): Promise<void>;
  /** What was begun and not waited for has failed: nothing may follow. */
  failed(error: unknown): void;
}

export class RowAnswers {
  readonly #results: Results;
  readonly #queue: ReplyQueue<Request>;
  /** Settles when what was begun last is delivered. */
  #last: Promise<void> = Promise.resolve();
  /** After rows that could not be read, up to ReadyForQuery. */
  isSilent = false;

  constructor(results: Results, queue: ReplyQueue<Request>) {
    this.#results = results;
    this.#queue = queue;
  }

  /** @param rows that follow one another, or data of a COPY. Resolves when more may come. @throws what an earlier one failed with */
  async begin(rows: readonly Message[], sink: AnswerSink): Promise<void> {
    const isCopied = rows[0]?.type === BACKEND.copyData;
    const request = isCopied ? this.#queue.current : this.#queue.answered(BACKEND.dataRow);
    if (this.isSilent) return;
    const reading = isCopied ? this.#results.copyData(rows, request) : this.#results.rows(rows, request);
    reading.catch(() => undefined);
    const before = this.#last;
    this.#last = before.then(async () => sink.deliver(await this.#read(reading, request)));
    this.#last.catch((error: unknown) => sink.failed(error));
    await (rows.reduce((sum, { frame }) => sum + frame.length, 0) > MAX_AHEAD_BYTES ? this.#last : before);
  }

  /** All are delivered. @throws what one failed with */
  async delivered(): Promise<void> {
    await this.#last;
  }

  async #read(reading: Promise<readonly Buffer[]>, request: Request | undefined): Promise<readonly Buffer[]> {
    if (this.isSilent) return [];
    try {
      return await reading;
    } catch (error) {
      // Behind it others may wait that the database carries out, and that the client would take for skipped.
      if (!(error instanceof Refusal && this.#queue.isLastOfSegment)) throw error;
      this.isSilent = true;
      if (request?.work) Object.assign(request.work, { verdict: 'refused', refusal: error.kind });
      return [encodeError('ERROR', error.sqlState, error.message, error.hint)];
    }
  }
}
