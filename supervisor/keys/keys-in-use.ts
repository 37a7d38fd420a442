/**
 * The keys that the enclave works with, and how they are exchanged while it serves: whoever uses them follows, and the old ones are the
 * caller's again when nobody uses them any more.
 *
 *   old in use ──each follower goes over──▶ new in use
 *                  └──one cannot──▶ those before it go back ──▶ old in use (KEYS_NOT_EXCHANGED)
 *                                         └──one cannot──▶ both in use (KEYS_EXCHANGED_IN_PART): the enclave has to end
 */
import { untilAborted } from '../../runtime/abort.ts';
import { describeError } from '../../runtime/errors.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { SupervisorError } from '../errors.ts';

export interface EnclaveKeys {
  /** 32 bytes. */
  readonly masterKey: SecretBuffer;
  /** 32 bytes. It stays when the master key changes: what is derived from it would show that otherwise (workloads/sessions/mock-secret.ts). */
  readonly mockKey: SecretBuffer;
  /** Absolute; Acra's keystore v1 that belongs to the master key. */
  readonly keystoreFolder: string;
  /** Passwords or verifiers, by the names of the database's users: of each one or two. */
  readonly databaseSecrets: ReadonlyMap<string, readonly SecretBuffer[]>;
  /** Ids of the clients that have keys. */
  readonly keyClients: readonly string[];
}

/** Resolves when it uses nothing of what it used before; where it rejects, it uses nothing of `next`. */
export type FollowKeys = (next: EnclaveKeys, signal: AbortSignal) => Promise<void>;

/** Going back is not given up half-way. */
const NEVER = new AbortController().signal;

export class KeysInUse {
  #current: EnclaveKeys;
  readonly #followers = new Set<FollowKeys>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(first: EnclaveKeys) {
    this.#current = first;
  }

  get current(): EnclaveKeys {
    return this.#current;
  }

  /**
   * Everything that serves goes over to `next`, one change after the other; no session ends by it. Resolves when nothing uses the old
   * ones any more, which the caller then disposes of.
   * @throws SupervisorError KEYS_NOT_EXCHANGED: the old ones go on, and nothing uses `next`; KEYS_EXCHANGED_IN_PART: neither may be disposed
   * of; the signal's reason, where it aborts before anything has begun
   */
  change(next: EnclaveKeys, signal: AbortSignal): Promise<void> {
    const before = this.#last;
    const change = untilAborted(before, signal).then(() => this.#exchange(next, signal));
    this.#last = Promise.allSettled([before, change]);
    return change;
  }

  /** @param follow called by each change from now on, which waits for it @returns ends it */
  subscribe(follow: FollowKeys): () => void {
    this.#followers.add(follow);
    return () => void this.#followers.delete(follow);
  }

  async #exchange(next: EnclaveKeys, signal: AbortSignal): Promise<void> {
    const changed: FollowKeys[] = [];
    try {
      // Whoever subscribes meanwhile has begun with the old ones, and has its turn as well: a Set is walked to its end as it is then.
      for (const follow of this.#followers) {
        signal.throwIfAborted();
        await follow(next, signal);
        changed.push(follow);
      }
    } catch (cause) {
      await this.#goBack(changed);
      throw new SupervisorError('KEYS_NOT_EXCHANGED', 'the new keys could not be put to use; the old ones go on', {
        found: describeError(cause),
        cause,
      });
    }
    this.#current = next;
  }

  async #goBack(changed: readonly FollowKeys[]): Promise<void> {
    const back = await Promise.allSettled(changed.map((follow) => follow(this.#current, NEVER)));
    const failed = back.find((each) => each.status === 'rejected');
    if (!failed) return;
    throw new SupervisorError(
      'KEYS_EXCHANGED_IN_PART',
      'some use the new keys, and could not go back to the old ones',
      {
        found: describeError(failed.reason),
        cause: failed.reason,
      },
    );
  }
}
