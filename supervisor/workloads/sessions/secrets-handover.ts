/**
 * Hands a running guard other secrets, and waits until it has taken them. One that ends meanwhile needs nothing: whichever comes after it
 * is served with what is in use then.
 */
import { untilAborted } from '../../../runtime/abort.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { Deadline } from '../../../runtime/deadline.ts';
import type { OtherSecrets } from '../../../sessions/messages.ts';
import { SupervisorError } from '../../errors.ts';
import type { OwnKeys } from './own-keys.ts';
import type { SessionProgram } from './session-program.ts';

/** A guard reads messages between two statements; one that takes longer to read them is not well. */
const TAKEN_MS = 20_000;

export class SecretsHandover {
  readonly #clock: Clock;
  #id = 0;
  #taken = Promise.withResolvers<boolean>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws SupervisorError CHILD_SECRETS_NOT_TAKEN; the signal's reason */
  async to(
    guard: Pick<SessionProgram<{ readonly type: string }>, 'send' | 'isThere'>,
    { users, secrets }: Pick<OwnKeys, 'users' | 'secrets'>,
    signal: AbortSignal,
  ): Promise<void> {
    if (!guard.isThere) return;
    this.#id += 1;
    this.#taken = Promise.withResolvers();
    const message: OtherSecrets = { type: 'secrets', id: this.#id, users };
    guard.send(message, secrets);
    using deadline = new Deadline(this.#clock, TAKEN_MS, signal, () => notTaken(`no answer in ${TAKEN_MS} ms`));
    if (!(await untilAborted(this.#taken.promise, deadline.signal))) throw notTaken('it cannot use them');
  }

  answered({ id, areTaken }: { readonly id: number; readonly areTaken: boolean }): void {
    if (id === this.#id) this.#taken.resolve(areTaken);
  }

  /** The guard has ended. */
  ended(): void {
    this.#taken.resolve(true);
  }
}

function notTaken(found: string): SupervisorError {
  return new SupervisorError('CHILD_SECRETS_NOT_TAKEN', 'a guard did not take other secrets of database users', {
    found,
  });
}
