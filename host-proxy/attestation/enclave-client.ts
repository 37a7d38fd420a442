/**
 * Asks the enclave over host-proxy's own end of the requests route. So many questions are under way at once that the enclave has a
 * place for each; the others wait for a turn, and what is more than may wait is refused.
 */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { untilAborted } from '../../runtime/abort.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import { describeError } from '../../runtime/errors.ts';
import { askAsParent } from '../../wire/requests/ask.ts';
import type { ParentAnswer, ParentRequest } from '../../wire/requests/parent-messages.ts';
import { HostProxyError } from '../errors.ts';

/** The enclave takes 16 connections; some of them are ending. */
export const MAX_ASKING = 8;
export const MAX_WAITING = 32;
/** For the turn and the answer together. */
const ANSWER_MS = 5_000;

export class EnclaveClient {
  readonly #socketPath: string;
  readonly #clock: Clock;
  #asking = 0;
  #waiting: (() => void)[] = [];

  constructor(socketPath: string, clock: Clock) {
    this.#socketPath = socketPath;
    this.#clock = clock;
  }

  /**
   * @param signal aborts when nobody waits for the answer any more
   * @throws HostProxyError HOST_ATTESTATION_RATE, HOST_ATTESTATION_UNANSWERED
   */
  async ask(request: ParentRequest, signal: AbortSignal): Promise<ParentAnswer> {
    using deadline = new Deadline(this.#clock, ANSWER_MS, signal);
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
    if (this.#asking < MAX_ASKING) {
      this.#asking += 1;
      return;
    }
    if (this.#waiting.length >= MAX_WAITING) {
      throw new HostProxyError('HOST_ATTESTATION_RATE', 'too many wait for the enclave’s answer', {
        allowed: `${MAX_ASKING} at once and ${MAX_WAITING} that wait`,
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
