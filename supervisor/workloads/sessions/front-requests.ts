/**
 * Requests of strangers that the front, or the ports of an application, pass on unread (sessions/front/attestation/). The front talks to clients, so that what it says is
 * checked here, and bounded: so many at once, each for so long, and none answered to a front that came after the one which asked.
 */
import { untilAborted } from '../../../runtime/abort.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { Deadline } from '../../../runtime/deadline.ts';
import { describeError, errorCode } from '../../../runtime/errors.ts';
import type { Logger } from '../../../runtime/log.ts';
import type { AttestationLimits } from '../../../sessions/front/attestation/limits.ts';
import type { RequestAnswer, RequestQuestion } from '../../../sessions/messages.ts';
import { WireError } from '../../../wire/errors.ts';
import { RequestError } from '../../../wire/requests/errors.ts';
import {
  type EnclaveAnswer,
  type EnclaveRequest,
  parseEnclaveRequest,
  refusalOf,
} from '../../../wire/requests/messages.ts';
import type { Answerer } from '../../../wire/requests/serve.ts';

export interface FrontRequestsDeps {
  readonly answer: Answerer;
  readonly limits: Pick<AttestationLimits, 'maxConnections' | 'answerMs'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly send: (answer: RequestAnswer) => void;
}

export class FrontRequests {
  readonly #deps: FrontRequestsDeps;
  /** Of the front that there is. */
  #life = new AbortController();
  #underWay = 0;

  constructor(deps: FrontRequestsDeps) {
    this.#deps = deps;
  }

  /** Never rejects. */
  async take({ id, payload }: RequestQuestion): Promise<void> {
    const { signal } = this.#life;
    const answer = await this.#answerTo(payload, signal).catch((error: unknown) => this.#refusal(error));
    if (!signal.aborted) this.#deps.send({ type: 'answer', id, answer });
  }

  /** Another front counts its requests from the start: answers to the one before are not for it. */
  launched(): void {
    this.stop();
    this.#life = new AbortController();
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#life.abort(new RequestError('REQUEST_CANCELLED', 'the front has ended'));
  }

  /** @throws RequestError */
  async #answerTo(payload: string, life: AbortSignal): Promise<EnclaveAnswer> {
    const { answer, limits, clock } = this.#deps;
    const request = requestIn(payload);
    if (this.#underWay >= limits.maxConnections) {
      const found = `${limits.maxConnections} wait for their answers`;
      throw new RequestError('REQUEST_QUEUE_FULL', 'too many ask at once', { found });
    }
    this.#underWay += 1;
    const late = () => new RequestError('REQUEST_CANCELLED', 'the answer took too long');
    try {
      using deadline = new Deadline(clock, limits.answerMs, life, late);
      return await untilAborted(answer(request, deadline.signal), deadline.signal);
    } finally {
      this.#underWay -= 1;
    }
  }

  /** Strangers are told nothing of what fails inside. */
  #refusal(error: unknown): EnclaveAnswer {
    if (error instanceof RequestError) return refusalOf(error);
    const fields = { code: errorCode(error) ?? null, reason: describeError(error) };
    this.#deps.logger.log('error', 'attestation.failed', fields);
    return refusalOf(new RequestError('REQUEST_FAILED', 'the enclave could not answer', { cause: error }));
  }
}

/** @throws RequestError REQUEST_MALFORMED */
function requestIn(payload: string): EnclaveRequest {
  try {
    return parseEnclaveRequest(Buffer.from(payload, 'base64'));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new RequestError('REQUEST_MALFORMED', describeError(error), { cause: error });
  }
}
