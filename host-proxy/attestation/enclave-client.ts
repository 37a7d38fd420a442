/**
 * Asks the enclave over host-proxy's own end of the requests route. So many questions are under way at once that the enclave has a
 * place for each; the others wait for a turn, and what is more than may wait is refused. Strangers, the operator, and the keys have
 * places of their own: none of them waits for the others.
 */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { untilAborted } from '../../runtime/abort.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import { describeError } from '../../runtime/errors.ts';
import { askAsParent } from '../../wire/requests/ask.ts';
import { MAX_KEYS_ANSWER_MS } from '../../wire/requests/bounds.ts';
import type { ParentAnswer, ParentRequest } from '../../wire/requests/parent-messages.ts';
import { HostProxyError } from '../errors.ts';

export interface Places {
  readonly maxAsking: number;
  readonly maxWaiting: number;
  /** For the turn and the answer together. */
  readonly answerMs: number;
}

/** The enclave takes 16 connections; some of them are ending. */
export const STRANGERS: Places = { maxAsking: 8, maxWaiting: 32, answerMs: 5_000 };
export const OPERATOR: Places = { maxAsking: 2, maxWaiting: 8, answerMs: 5_000 };
/** One after the other. An enclave asks KMS for them, opens every key, and lets sessions go over to others. */
export const KEYS: Places = { maxAsking: 1, maxWaiting: 8, answerMs: MAX_KEYS_ANSWER_MS };

export class EnclaveClient {
  readonly #socketPath: string;
  readonly #clock: Clock;
  readonly #places: Places;
  #asking = 0;
  #waiting: (() => void)[] = [];

  constructor(socketPath: string, clock: Clock, places: Places) {
    this.#socketPath = socketPath;
    this.#clock = clock;
    this.#places = places;
  }

  /**
   * @param signal aborts when nobody waits for the answer any more
   * @throws HostProxyError HOST_ATTESTATION_RATE, HOST_ATTESTATION_UNANSWERED
   */
  async ask(request: ParentRequest, signal: AbortSignal): Promise<ParentAnswer> {
    using deadline = new Deadline(this.#clock, this.#places.answerMs, signal);
    try {
      await this.#turn(deadline.signal);
      try {
        return await this.#ask(request, deadline.signal);
      } finally {
        this.#next();
      }
    } catch (cause) {
      if (cause instanceof HostProxyError) throw cause;
      const message = deadline.hasPassed ? 'the enclave did not answer in time' : 'the enclave does not answer';
      throw new HostProxyError('HOST_ATTESTATION_UNANSWERED', message, { found: describeError(cause), cause });
    }
  }

  async #ask(request: ParentRequest, signal: AbortSignal): Promise<ParentAnswer> {
    const socket = createConnection({ path: this.#socketPath });
    try {
      await once(socket, 'connect', { signal });
      return await askAsParent(socket, request, signal);
    } finally {
      socket.on('error', () => undefined).destroy();
    }
  }

  /** @throws HostProxyError HOST_ATTESTATION_RATE */
  async #turn(signal: AbortSignal): Promise<void> {
    const { maxAsking, maxWaiting } = this.#places;
    if (this.#asking < maxAsking) {
      this.#asking += 1;
      return;
    }
    if (this.#waiting.length >= maxWaiting) {
      throw new HostProxyError('HOST_ATTESTATION_RATE', 'too many wait for the enclave’s answer', {
        allowed: `${maxAsking} at once and ${maxWaiting} that wait`,
      });
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    try {
      await untilAborted(promise, signal);
    } catch (error) {
      const isStillWaiting = this.#waiting.includes(resolve);
      this.#waiting = this.#waiting.filter((other) => other !== resolve);
      if (!isStillWaiting) this.#next();
      throw error;
    }
  }

  /** Whose turn comes takes the place over. */
  #next(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#asking -= 1;
    else next();
  }
}
