/** Where the sessions of an identity go: the front asks its supervisor once, which may have to start a guard and an acra-server first. */
import { SessionError } from '../../postgres/session-error.ts';
import { untilAborted } from '../../runtime/abort.ts';
import type { GuardAnswer } from '../messages.ts';

interface Guard extends PromiseWithResolvers<string> {
  isKnown: boolean;
}

export class GuardDirectory {
  readonly #ask: (clientId: string) => void;
  readonly #known = new Map<string, Guard>();

  /** @param ask asks the supervisor, which answers by `answered` */
  constructor(ask: (clientId: string) => void) {
    this.#ask = ask;
  }

  /** @returns the path of its socket. @throws SessionError as the supervisor says; the signal's reason */
  pathOf(clientId: string, signal: AbortSignal): Promise<string> {
    let known = this.#known.get(clientId);
    if (!known) {
      known = { ...Promise.withResolvers<string>(), isKnown: false };
      known.promise.catch(() => undefined);
      this.#known.set(clientId, known);
      this.#ask(clientId);
    }
    return untilAborted(known.promise, signal);
  }

  answered(answer: GuardAnswer): void {
    const known = this.#known.get(answer.clientId);
    if (answer.type === 'guard') {
      if (known) known.isKnown = true;
      known?.resolve(answer.path);
      return;
    }
    // What is refused now may not be the next time.
    this.#known.delete(answer.clientId);
    known?.reject(new SessionError(answer.sqlState, answer.message));
  }

  /** Nobody listens there any more: whoever comes next asks again. What others have asked meanwhile they still learn. */
  forget(clientId: string): void {
    if (this.#known.get(clientId)?.isKnown) this.#known.delete(clientId);
  }
}
