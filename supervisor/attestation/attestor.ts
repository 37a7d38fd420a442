/**
 * Answers whoever asks what this enclave is: a fresh document of the security module for the caller's nonce, never one of before, which
 * would prove nothing but that an enclave ran once. Anybody may ask, so that what it costs is bounded: one call to the module at a
 * time, a short queue, so many a second; KMS, which needs the module as well, waits for one call at most.
 */
import type { NsmProvider } from '../../attestation/nsm/provider.ts';
import type { StatedRuntime } from '../../attestation/runtime/state-runtime.ts';
import { encodeUserData } from '../../attestation/runtime/user-data.ts';
import { untilAborted } from '../../runtime/abort.ts';
import type { Clock } from '../../runtime/clock.ts';
import { CodedError, describeError } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import { TokenBucket } from '../../runtime/token-bucket.ts';
import { type MetricSample, sample } from '../../wire/metrics.ts';
import { RequestError } from '../../wire/requests/errors.ts';
import type { AttestationAnswer, EnclaveAnswer, EnclaveRequest } from '../../wire/requests/messages.ts';
import { refusalOf } from '../../wire/requests/messages.ts';

/** A verifier asks once a connection or once in minutes; a module makes several hundred a second at best. */
export const RATE = { burst: 100, perSecond: 50 };
/** Those that wait for the module. At 100 ms a document the last of them has waited for 3 s. */
export const MAX_WAITING = 32;

export interface AttestorDeps {
  readonly nsm: Pick<NsmProvider, 'attest'>;
  readonly stated: Pick<StatedRuntime, 'encoding' | 'commitment'>;
  /** Of the key that new sessions get, at this moment. */
  readonly tlsKeySha256: () => Buffer;
  /** X25519, 32 raw bytes. */
  readonly publicKey: Buffer;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How many requests ended how. */
interface AttestationCounts {
  readonly answered: number;
  /** For the rate, for the queue, or because nobody waited any more. */
  readonly refused: number;
  /** By the security module. */
  readonly failed: number;
}

export class Attestor {
  readonly #deps: AttestorDeps;
  readonly #statement: string;
  readonly #bucket: TokenBucket;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();
  #counts: AttestationCounts = { answered: 0, refused: 0, failed: 0 };

  constructor(deps: AttestorDeps) {
    this.#deps = deps;
    this.#statement = deps.stated.encoding.toString('base64');
    this.#bucket = new TokenBucket(RATE, deps.clock);
  }

  get samples(): readonly MetricSample[] {
    return Object.entries(this.#counts).map(([outcome, count]) =>
      sample('attestation_requests_total', { outcome }, count),
    );
  }

  /**
   * Never rejects: what fails is a refusal, with a code of REQUEST_ERRORS or NSM_ERRORS.
   * @param signal aborts when nobody waits for the answer any more @param tlsKeySha256 another TLS key of this boot than the one that is shown
   */
  async answer({ nonce }: EnclaveRequest, signal: AbortSignal, tlsKeySha256?: Buffer): Promise<EnclaveAnswer> {
    try {
      const answer = await this.#attest(Buffer.from(nonce, 'base64'), signal, tlsKeySha256);
      this.#count('answered');
      return answer;
    } catch (error) {
      return this.#refuse(error, signal);
    }
  }

  async #attest(nonce: Buffer, signal: AbortSignal, tlsKeySha256?: Buffer): Promise<AttestationAnswer> {
    this.#enter();
    const turn = this.#last.then(() => this.#call(nonce, signal, tlsKeySha256));
    this.#last = turn.catch(() => undefined).finally(() => (this.#waiting -= 1));
    const document = await untilAborted(turn, signal);
    return { type: 'attestation', document: document.toString('base64'), statement: this.#statement };
  }

  /** @throws RequestError REQUEST_QUEUE_FULL, REQUEST_RATE_LIMITED */
  #enter(): void {
    if (this.#waiting >= MAX_WAITING) {
      throw new RequestError('REQUEST_QUEUE_FULL', 'the security module is busy', { found: `${MAX_WAITING} waiting` });
    }
    if (!this.#bucket.take()) {
      const allowed = `${RATE.perSecond} a second, ${RATE.burst} at once`;
      throw new RequestError('REQUEST_RATE_LIMITED', 'more was asked than is answered', { allowed });
    }
    this.#waiting += 1;
  }

  #call(nonce: Buffer, signal: AbortSignal, tlsKeySha256 = this.#deps.tlsKeySha256()): Promise<Buffer> {
    signal.throwIfAborted();
    const { nsm, publicKey, stated } = this.#deps;
    const userData = encodeUserData({ tlsKeySha256, commitment: stated.commitment });
    return nsm.attest({ nonce, userData, publicKey });
  }

  #refuse(error: unknown, signal: AbortSignal): EnclaveAnswer {
    if (error instanceof RequestError) {
      this.#count('refused');
      return refusalOf(error);
    }
    if (signal.aborted) {
      this.#count('refused');
      return refusalOf(new RequestError('REQUEST_CANCELLED', 'nobody waits for the answer any more'));
    }
    this.#count('failed');
    const failure =
      error instanceof CodedError
        ? error
        : new RequestError('REQUEST_FAILED', 'the enclave could not answer', { cause: error });
    this.#deps.logger.log('error', 'attestation.failed', { code: failure.code, reason: describeError(failure) });
    return refusalOf(failure);
  }

  #count(outcome: keyof AttestationCounts): void {
    this.#counts = { ...this.#counts, [outcome]: this.#counts[outcome] + 1 };
  }
}
