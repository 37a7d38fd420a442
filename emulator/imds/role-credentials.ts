/** The credentials of the instance's role: kept for a while, renewed ahead of their end, as EC2 does it. */
import type { Clock } from '../../runtime/clock.ts';
import type { CredentialStore, TemporaryCredential } from '../credentials.ts';
import type { Principal } from '../principal.ts';

interface RoleCredentialsOptions {
  readonly principal: Principal;
  readonly credentials: CredentialStore;
  readonly clock: Clock;
  readonly lifetimeMs: number;
  /** New ones are issued when less than this remains of the present ones. */
  readonly renewBeforeMs: number;
}

export class RoleCredentials {
  readonly #options: RoleCredentialsOptions;
  #present: TemporaryCredential | undefined;
  /** One question at a time, so that callers who come together get the same credentials. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: RoleCredentialsOptions) {
    this.#options = options;
  }

  /** After a restart the ones that were issued before, if enough remains of them. @throws EmulatorError EMULATOR_STATE */
  current(): Promise<TemporaryCredential> {
    return this.#inTurn(async () => {
      const { principal, credentials, clock, renewBeforeMs } = this.#options;
      const present = this.#present ?? (await credentials.newestTemporary(principal));
      if (present === undefined || present.expiresAtMs - clock.nowMs() < renewBeforeMs) return this.#issue();
      this.#present = present;
      return present;
    });
  }

  /** Issues new ones at once; the old ones stay valid until they expire. @throws EmulatorError EMULATOR_STATE */
  rotate(): Promise<TemporaryCredential> {
    return this.#inTurn(() => this.#issue());
  }

  async #issue(): Promise<TemporaryCredential> {
    const { principal, credentials, lifetimeMs } = this.#options;
    this.#present = await credentials.issueTemporary(principal, lifetimeMs);
    return this.#present;
  }

  #inTurn<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(task, task);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
