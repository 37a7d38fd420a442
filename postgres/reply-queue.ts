/**
 * Which of the database's messages answers which of the client's requests, also when requests are pipelined (PostgreSQL 18,
 * "Message Flow"; "Pipelining"). Requests are answered in order; the first in the queue is the one under way.
 *
 *   request        answers that it gets, in order (… : any number)                          gone from the queue with
 *   query          rowDescription dataRow… commandComplete | emptyQueryResponse, … , ready  readyForQuery
 *   parse          parseComplete                                                            parseComplete
 *   bind           bindComplete                                                             bindComplete
 *   describe       [parameterDescription] rowDescription | noData                           rowDescription, noData
 *   execute        dataRow… commandComplete | emptyQueryResponse | portalSuspended          the last of these
 *   close          closeComplete                                                            closeComplete
 *   functionCall   (its result is not looked at), ready                                     readyForQuery
 *   sync           ready                                                                    readyForQuery
 *
 *              error while an extended request (parse … close) is under way
 *   ┌─────────┐ ─────────────────────────────────────────────────────────────▶ ┌──────────┐ every request but sync
 *   │ in step │                                                                │ skipping │ is dropped, those that
 *   └─────────┘ ◀───────────────────────────────────────────────────────────── └──────────┘ come later as well
 *              readyForQuery, the answer to the next sync
 *
 * An error while query, functionCall or sync is under way ends that request only: its readyForQuery follows.
 */
import { BACKEND } from './message-types.ts';

const EXTENDED = ['parse', 'bind', 'describe', 'execute', 'close'] as const;
type ExtendedKind = (typeof EXTENDED)[number];
export type RequestKind = ExtendedKind | 'query' | 'functionCall' | 'sync';

export interface PendingRequest {
  readonly kind: RequestKind;
}

interface Answers {
  readonly to: readonly RequestKind[];
  /** More answers to the same request of the extended protocol follow. */
  readonly hasMore?: true;
}

const ANSWERS: Readonly<Record<string, Answers>> = {
  [BACKEND.parseComplete]: { to: ['parse'] },
  [BACKEND.bindComplete]: { to: ['bind'] },
  [BACKEND.closeComplete]: { to: ['close'] },
  [BACKEND.parameterDescription]: { to: ['describe'], hasMore: true },
  [BACKEND.noData]: { to: ['describe'] },
  [BACKEND.rowDescription]: { to: ['describe', 'query'] },
  [BACKEND.dataRow]: { to: ['execute', 'query'], hasMore: true },
  [BACKEND.commandComplete]: { to: ['execute', 'query'] },
  [BACKEND.emptyQueryResponse]: { to: ['execute', 'query'] },
  [BACKEND.portalSuspended]: { to: ['execute'] },
};
/** So many that are done stay in the array, and half of what waits. */
const KEPT = 64;
const ENDS_WITH_READY: readonly RequestKind[] = ['query', 'functionCall', 'sync'];

function isExtended(kind: RequestKind): kind is ExtendedKind {
  return EXTENDED.some((each) => each === kind);
}

export class ReplyQueue<Request extends PendingRequest> {
  readonly #onDropped: (request: Request) => void;
  #requests: Request[] = [];
  /** Of the first that waits: to take one off the front of a long array costs as much as it is long. */
  #at = 0;
  #isSkipping = false;

  /** @param onDropped told of each request that the database did not carry out to its end */
  constructor(onDropped: (request: Request) => void = () => undefined) {
    this.#onDropped = onDropped;
  }

  get isEmpty(): boolean {
    return this.#at === this.#requests.length;
  }

  /** Whether nothing waits behind the request under way, up to the next ReadyForQuery, that the database would still carry out. */
  get isLastOfSegment(): boolean {
    const [current, next] = [this.current, this.#requests[this.#at + 1]];
    if (!current || !isExtended(current.kind)) return true;
    return next?.kind === 'sync';
  }

  /** The request under way. */
  get current(): Request | undefined {
    return this.#requests[this.#at];
  }

  /** The client's request was sent on. */
  sent(request: Request): void {
    const isSkipped = this.#isSkipping && this.isEmpty && request.kind !== 'sync';
    if (isSkipped) this.#onDropped(request);
    else this.#requests.push(request);
  }

  /** @returns the request that a message of this type answers; undefined for one that answers none */
  answered(type: string): Request | undefined {
    const answers = ANSWERS[type];
    if (!answers) return undefined;
    // A database that leaves out an answer: what it passed over gets none any more.
    this.#dropUntil((kind) => answers.to.includes(kind));
    const request = this.current;
    if (request && isExtended(request.kind) && !answers.hasMore) this.#pass();
    return request;
  }

  /** An ErrorResponse came. @returns the request that failed; undefined for an error out of turn */
  failed(): Request | undefined {
    const request = this.current;
    if (request && isExtended(request.kind)) {
      this.#isSkipping = true;
      this.#dropUntil((kind) => kind === 'sync');
    }
    return request;
  }

  /** ReadyForQuery came. */
  ready(): void {
    this.#dropUntil((kind) => ENDS_WITH_READY.includes(kind));
    this.#pass();
    this.#isSkipping = false;
  }

  /**
   * The client ended a COPY. If Execute began it, the database has ignored every Sync that came before this (PostgreSQL 18,
   * "COPY Operations": "ignores any Flush or Sync messages"), and answers none of them.
   * @param request that is over; default: the one under way
   */
  copyEnded(request: PendingRequest | undefined = this.current): void {
    if (request !== this.current || request?.kind !== 'execute') return;
    this.#requests = this.#requests.slice(this.#at).filter(({ kind }) => kind !== 'sync');
    this.#at = 0;
  }

  #dropUntil(isWanted: (kind: RequestKind) => boolean): void {
    for (let { current } = this; current && !isWanted(current.kind); { current } = this) {
      this.#onDropped(current);
      this.#pass();
    }
  }

  /** The request under way is done. */
  #pass(): void {
    if (this.isEmpty) return;
    this.#at += 1;
    if (this.#at < KEPT && this.#at < this.#requests.length) return;
    if (2 * this.#at < this.#requests.length) return;
    this.#requests.splice(0, this.#at);
    this.#at = 0;
  }
}
