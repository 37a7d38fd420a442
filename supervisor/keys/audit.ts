/**
 * What is told of keys: one log record for each operation, with generations and hashes and never a secret, and how many there were. A record
 * of level error is an alarm: an older set, or one of another line, that is offered to an enclave which has one, a set that could be used in part only.
 */
import { CodedError, describeError, errorCode } from '../../runtime/errors.ts';
import type { LogFields, Logger } from '../../runtime/log.ts';
import { type MetricSample, sample } from '../../wire/metrics.ts';
import { RequestError } from '../../wire/requests/errors.ts';
import type { JudgedRequest } from './judge-request.ts';
import type { JudgedSet } from './judge-set.ts';
import type { LoadedBy } from './load-share.ts';
import type { MadeSet } from './make-set.ts';

/** `take`, `load`, or the kind of a request's action; `unread` for what was no request of operators. */
export type Operation = string;

const ALARMS: ReadonlySet<string> = new Set(['KEYS_EXCHANGED_IN_PART']);
/** While there is a newer one, or another line of them. */
const ROLLBACKS: ReadonlySet<string> = new Set(['KEY_SET_ROLLED_BACK', 'KEY_SET_OTHER_LINE']);

export class KeyAudit {
  readonly #logger: Logger;
  readonly #counts = new Map<string, { readonly operation: Operation; readonly outcome: string; count: number }>();
  #inUse: Pick<JudgedSet, 'set' | 'sha256'> | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get samples(): readonly MetricSample[] {
    return [
      sample('keys_in_use_generation', {}, this.#inUse?.set.generation ?? 0),
      ...[...this.#counts.values()].map(({ operation, outcome, count }) =>
        sample('key_operations_total', { operation, outcome }, count),
      ),
    ];
  }

  taken(taken: JudgedSet): void {
    this.#inUse = taken;
    this.#count('take', 'done');
    const { set, sha256, transcript } = taken;
    this.#logger.log('info', 'keys.taken', {
      generation: set.generation,
      sha256,
      previous: set.previous,
      madeBy: transcript.image,
      madeAt: new Date(transcript.madeAtMs).toISOString(),
      action: transcript.request.action.kind,
      requestSha256: transcript.requestSha256,
    });
  }

  /** A share of an operator counts. */
  loaded({ operator, count }: LoadedBy): void {
    this.#count('load', 'done');
    const { keySet: sha256, needed, loaded } = count;
    this.#logger.log('info', 'keys.share-loaded', { operator, sha256, needed, loaded: loaded.join(', ') });
  }

  made({ content, approvedBy }: JudgedRequest, requestSha256: string, { generation, sha256 }: MadeSet): void {
    const { kind: action } = content.action;
    this.#count(action, 'done');
    const previous = content.from;
    const approved = approvedBy.join(', ');
    this.#logger.log('info', 'keys.made', {
      action,
      generation,
      sha256,
      previous,
      requestSha256,
      approvedBy: approved,
    });
  }

  /** Of a request that makes no set. */
  changed({ content, approvedBy }: JudgedRequest, requestSha256: string, fields: LogFields): void {
    const { kind: action } = content.action;
    this.#count(action, 'done');
    this.#logger.log('info', 'keys.changed', { action, requestSha256, approvedBy: approvedBy.join(', '), ...fields });
  }

  /** @returns what is told of it to whoever asked */
  refused(operation: Operation, error: unknown): CodedError {
    this.#count(operation, 'refused');
    const coded =
      error instanceof CodedError
        ? error
        : new RequestError('REQUEST_FAILED', 'the enclave could not answer', { cause: error });
    const event = error instanceof CodedError ? 'keys.refused' : 'keys.failed';
    const { code } = coded;
    this.#logger.log(this.#levelOf(code), event, {
      operation,
      code,
      reason: describeError(error),
      ...this.#generation,
    });
    return coded;
  }

  leaseLost(error: unknown): void {
    const fields = { code: errorCode(error) ?? null, sha256: this.#inUse?.sha256 ?? null, ...this.#generation };
    this.#logger.log('error', 'keys.lease-lost', fields);
  }

  #levelOf(code: string): 'warn' | 'error' {
    const isRollback = ROLLBACKS.has(code) && this.#inUse !== undefined;
    return isRollback || ALARMS.has(code) ? 'error' : 'warn';
  }

  get #generation() {
    return { generationInUse: this.#inUse?.set.generation ?? 0 };
  }

  #count(operation: Operation, outcome: 'done' | 'refused'): void {
    const key = `${operation} ${outcome}`;
    const known = this.#counts.get(key) ?? { operation, outcome, count: 0 };
    known.count += 1;
    this.#counts.set(key, known);
  }
}
