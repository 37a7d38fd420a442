/**
 * The enclave holds the master key on a lease: KMS is asked for it again and again, and whoever changes the key policy, disables the
 * key or takes the role away ends the service, without having to reach the enclave. KMS that refuses is a refusal; all else
 * (throttling, outages, credentials that the parent withholds) is an outage, through which the service goes on for a while.
 *
 *   granted ──renewEveryMs──▶ asked ──same key──▶ granted
 *                               ├────refused────▶ ended (LEASE_REFUSED)
 *                               └────outage─────▶ asked again, with back-off ──maxAgeMs since granted──▶ ended (LEASE_EXPIRED)
 *   where operators keep the key nobody can be asked: it stays granted
 *   in every state ──another key is in use──▶ granted; what is answered for the one before counts no more
 */
import { timingSafeEqual } from 'node:crypto';
import { KeeperError } from '../../keys/keepers/errors.ts';
import { KmsError } from '../../kms/errors.ts';
import { untilAborted } from '../../runtime/abort.ts';
import { BackgroundTask } from '../../runtime/background-task.ts';
import { backoffMs } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import { type CodedError, describeError, errorCode } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import type { Service } from '../../runtime/service.ts';
import type { MetricSample } from '../../wire/metrics.ts';
import { sample } from '../../wire/metrics.ts';
import { LeaseError } from './errors.ts';

type Question = (signal: AbortSignal) => Promise<SecretBuffer>;

export interface LeasedKey {
  /** In use. */
  readonly masterKey: SecretBuffer;
  /** One question to KMS; what it resolves to is disposed of here. Undefined where operators keep the key: a lease that never ends. */
  readonly ask: Question | undefined;
  /** By the monotonic clock, when KMS was asked for it: the parent may hold the answer back, and gains no lease by that. */
  readonly grantedMs: number;
}

export interface LeaseDeps {
  readonly renewEveryMs: number;
  readonly maxAgeMs: number;
  /** Until another follows. */
  readonly leased: LeasedKey;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The lease has ended, with a LeaseError: the supervisor stops in order. */
  readonly onEnd: (error: unknown) => void;
}

/** After an outage it is asked again sooner than in order. */
const FIRST_RETRY_MS = 5_000;

/** Of the one key, or of so many that what is left of several is too few. */
function isRefusal(error: unknown): error is CodedError {
  return error instanceof KmsError
    ? error.isRefusal
    : error instanceof KeeperError && error.code === 'KEY_SHARES_REFUSED';
}

export class KeyLease implements Service {
  readonly #deps: LeaseDeps;
  readonly #task: BackgroundTask;
  #leased: LeasedKey;
  /** Ends the question under way, when it has become one for a key that nobody uses any more. */
  #question = new AbortController();
  #grantedMs: number;
  #renewed = 0;
  #outages = 0;

  constructor(deps: LeaseDeps) {
    this.#deps = deps;
    this.#leased = deps.leased;
    this.#grantedMs = deps.leased.grantedMs;
    this.#task = new BackgroundTask((signal) => this.#run(signal), deps.onEnd);
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#task.start(signal);
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  /** From now on this key is asked for, which is in use in the place of the other. */
  follow(leased: LeasedKey): void {
    this.#leased = leased;
    this.#grantedMs = leased.grantedMs;
    this.#question.abort();
  }

  get samples(): readonly MetricSample[] {
    return [
      sample('lease_age_seconds', {}, this.#ageMs / 1000),
      sample('lease_questions_total', { outcome: 'renewed' }, this.#renewed),
      sample('lease_questions_total', { outcome: 'outage' }, this.#outages),
    ];
  }

  get #ageMs(): number {
    return this.#deps.clock.monotonicMs() - this.#grantedMs;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, random, renewEveryMs, maxAgeMs } = this.#deps;
    const retry = { minMs: Math.min(FIRST_RETRY_MS, renewEveryMs), maxMs: renewEveryMs };
    for (let failures = 0; ; ) {
      const waitMs = failures === 0 ? renewEveryMs : backoffMs(retry, failures - 1, random);
      await clock.sleep(Math.max(0, Math.min(waitMs, maxAgeMs - this.#ageMs)), signal);
      failures = (await this.#renew(signal)) ? 0 : failures + 1;
    }
  }

  /** @returns false for an outage. @throws LeaseError; the signal's reason */
  async #renew(signal: AbortSignal): Promise<boolean> {
    const { clock, logger, maxAgeMs } = this.#deps;
    const { masterKey, ask } = this.#leased;
    if (ask === undefined) {
      this.#grantedMs = clock.monotonicMs();
      return true;
    }
    const leftMs = maxAgeMs - this.#ageMs;
    if (leftMs <= 0) throw this.#expired();
    using deadline = new Deadline(clock, leftMs, signal, () => this.#expired());
    const askedMs = clock.monotonicMs();
    const question = new AbortController();
    this.#question = question;
    try {
      await this.#askOnce(masterKey, ask, AbortSignal.any([deadline.signal, question.signal]));
    } catch (error) {
      signal.throwIfAborted();
      // Whatever became of it: another key is in use, and was granted since.
      if (question.signal.aborted) return true;
      if (error instanceof LeaseError) throw error;
      if (isRefusal(error)) {
        throw new LeaseError('LEASE_REFUSED', 'KMS refuses the master key', { found: error.code, cause: error });
      }
      this.#outages += 1;
      const endsInMs = Math.round(maxAgeMs - this.#ageMs);
      logger.log('warn', 'lease.outage', { code: errorCode(error) ?? null, reason: describeError(error), endsInMs });
      return false;
    }
    // The parent carries the answer, and may hold it back: what it gains by that is no lease.
    this.#grantedMs = askedMs;
    this.#renewed += 1;
    logger.log('info', 'lease.renewed', {});
    return true;
  }

  async #askOnce(masterKey: SecretBuffer, ask: Question, signal: AbortSignal): Promise<void> {
    const asked = ask(signal);
    try {
      await untilAborted(asked, signal);
    } catch (error) {
      // One that comes too late is nobody's.
      asked.then((late) => late.dispose()).catch(() => undefined);
      throw error;
    }
    const again = await asked;
    try {
      const isSame = masterKey.use((held) =>
        again.use((found) => held.length === found.length && timingSafeEqual(held, found)),
      );
      if (!isSame) throw new LeaseError('LEASE_KEY_DIFFERS', 'KMS answered with another master key');
    } finally {
      again.dispose();
    }
  }

  #expired(): LeaseError {
    return new LeaseError('LEASE_EXPIRED', 'KMS has not granted the master key again in time', {
      found: `${Math.round(this.#ageMs / 1000)} s since it did`,
      allowed: `${Math.round(this.#deps.maxAgeMs / 1000)} s`,
    });
  }
}
