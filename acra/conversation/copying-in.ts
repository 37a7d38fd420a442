/**
 * COPY … FROM STDIN (PostgreSQL 18, "COPY Operations"): what the client sends belongs to the COPY that it asked for last, whether or not
 * the database has begun it yet; where it has not, and fails, it ignores them. So nothing here waits for it.
 *
 *   ┌──────┐ request with COPY ┌─────────┐ CopyDone, where no other COPY follows in the text        ┌──────┐
 *   │ idle │──────────────────▶│ copying │─────────────────────────────────────────────────────────▶│ idle │
 *   └──────┘                   └─────────┘ CopyFail by the client, refusal (CopyFail by us), error  └──────┘
 *
 * What comes while it is idle is left out, as the database would: behind a refusal or an error a client may send on for a while.
 */
import type { Message } from '../../postgres/message-reader.ts';
import { MAX_MESSAGE_BYTES } from '../../postgres/message-reader.ts';
import { FRONTEND } from '../../postgres/message-types.ts';
import { encodeMessage } from '../../postgres/messages.ts';
import type { ColumnForm } from '../own-settings.ts';
import type { CopyStream } from '../statements/copy-stream.ts';
import { Refusal } from '../statements/refusal.ts';
import { refuseTooLong, tooLong } from './belonging.ts';
import { type CopyLimits, ProtectedRows } from './protected-rows.ts';
import { insteadOf, type Request, streamsOf } from './request.ts';
import type { ValueProtector } from './value-protector.ts';

/** Of what a database makes of CopyFail. */
const QUERY_CANCELED = '57014';
const GAVE_UP = 'the client gave up';
const NOTHING: Buffer = Buffer.alloc(0);

/** From a client. */
export const COPY_DATA: readonly string[] = [FRONTEND.copyData, FRONTEND.copyDone, FRONTEND.copyFail];

export type Write = (bytes: Buffer) => Promise<void>;

export interface CopyingOptions {
  readonly protector: ValueProtector;
  /** Begins what the client is told of a refusal. */
  readonly refusedBy: string;
  /** The longest row, as the longest message. */
  readonly maxMessageBytes?: number;
  readonly room?: CopyLimits['room'];
  /** How the client gets protected columns; the protector takes its values in the same form. Default: decrypted. */
  readonly columnForm?: ColumnForm;
}

export class CopyingIn {
  readonly #options: CopyingOptions;
  readonly #onEnd: (request: Request) => void;
  #request: Request | undefined;
  /** The COPY under way, and those that follow in the same text. */
  #streams: readonly CopyStream[] = [];
  /** Undefined: nothing of it is protected. */
  #rows: ProtectedRows | undefined;

  /** @param onEnd told when the database is told of an end of a COPY */
  constructor(options: CopyingOptions, onEnd: (request: Request) => void) {
    this.#options = options;
    this.#onEnd = onEnd;
  }

  /** A request was sent, and no Sync. */
  sent(request: Request): void {
    this.#begin(request, streamsOf(request, 'in'));
  }

  /** The database has failed, or not carried out, the request. */
  failed(request: Request): void {
    if (request === this.#request) this.close();
  }

  close(): void {
    this.#begin(undefined, []);
  }

  /** @param write takes what is for the database, in order; without, all is returned. @returns what it gets behind that. @throws SessionError */
  async answer(message: Message, write?: Write): Promise<Buffer> {
    const parts: Buffer[] = [];
    const keep = async (part: Buffer) => void parts.push(part);
    try {
      parts.push(await this.#take(message, write ?? keep));
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      parts.push(this.#fail(refusal));
    }
    return parts.length === 1 ? (parts[0] ?? NOTHING) : Buffer.concat(parts);
  }

  async #take(message: Message, write: Write): Promise<Buffer> {
    const [request, rows] = [this.#request, this.#rows];
    if (message.skippedBytes !== undefined && message.type !== FRONTEND.copyData) refuseTooLong(message);
    if (!request || this.#streams.length === 0) return NOTHING;
    if (message.skippedBytes !== undefined) throw tooLong(message);
    if (message.type === FRONTEND.copyFail) return this.#givenUp(request, message);
    const isData = message.type === FRONTEND.copyData;
    if (rows) for await (const part of isData ? rows.push(message.body) : rows.end()) await write(part);
    // The database has failed it meanwhile.
    if (this.#rows !== rows) return NOTHING;
    if (isData) return rows ? NOTHING : message.frame;
    this.#onEnd(request);
    this.#begin(request, this.#streams.slice(1));
    return message.frame;
  }

  #fail(refusal: Refusal): Buffer {
    return this.#end(refusal.message, (request) => {
      request.instead = insteadOf(QUERY_CANCELED, refusal, this.#options.refusedBy);
      if (request.work) Object.assign(request.work, { verdict: 'refused', refusal: refusal.kind });
    });
  }

  /** Its reason may hold a value: a client gets it back, and the database no other. */
  #givenUp(request: Request, { body, frame }: Message): Buffer {
    if (!this.#rows) {
      this.close();
      this.#onEnd(request);
      return frame;
    }
    const message = `COPY from stdin failed: ${body.toString().replace(/\0[\s\S]*$/, '')}`;
    return this.#end(GAVE_UP, (each) => {
      each.instead = { of: QUERY_CANCELED, sqlState: QUERY_CANCELED, message };
    });
  }

  #end(reason: string, mark: (request: Request) => void): Buffer {
    const request = this.#request;
    this.close();
    if (!request) return NOTHING;
    mark(request);
    this.#onEnd(request);
    return encodeMessage(FRONTEND.copyFail, Buffer.from(`${reason}\0`));
  }

  #begin(request: Request | undefined, streams: readonly CopyStream[]): void {
    this.#rows?.release();
    this.#request = request;
    this.#streams = streams;
    const content = streams[0]?.content;
    const { protector, maxMessageBytes: maxRowBytes = MAX_MESSAGE_BYTES, room, columnForm } = this.#options;
    const mayBeStored = columnForm === 'stored';
    this.#rows = content && new ProtectedRows(content, protector, { maxRowBytes, room, mayBeStored });
  }
}
