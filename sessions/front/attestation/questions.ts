/** Requests that the supervisor answers, since only it reaches the security module. The front reads neither them nor their answers. */
import { untilAborted } from '../../../runtime/abort.ts';
import type { EnclaveAnswer } from '../../../wire/requests/messages.ts';
import type { RequestAnswer, RequestQuestion } from '../../messages.ts';

export class Questions {
  readonly #send: (question: RequestQuestion) => void;
  readonly #waiting = new Map<number, (answer: EnclaveAnswer) => void>();
  #asked = 0;

  constructor(send: (question: RequestQuestion) => void) {
    this.#send = send;
  }

  /** @param payload of the request's frame. @throws the signal's reason */
  async ask(payload: Buffer, signal: AbortSignal): Promise<EnclaveAnswer> {
    signal.throwIfAborted();
    this.#asked += 1;
    const id = this.#asked;
    const { promise, resolve } = Promise.withResolvers<EnclaveAnswer>();
    this.#waiting.set(id, resolve);
    this.#send({ type: 'request', id, payload: payload.toString('base64') });
    try {
      return await untilAborted(promise, signal);
    } finally {
      this.#waiting.delete(id);
    }
  }

  /** One that nobody waits for any more is thrown away. */
  answered({ id, answer }: RequestAnswer): void {
    this.#waiting.get(id)?.(answer);
  }
}
