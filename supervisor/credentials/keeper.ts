/** Keeps role credentials fresh: fetched again ahead of their expiry, and at once when KMS calls them expired. */
import type { AwsCredentials } from '../../kms/connection.ts';
import { BackgroundTask } from '../../runtime/background-task.ts';
import { backoffMs } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import { describeError } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { Service } from '../../runtime/service.ts';

/** AWS hands out new role credentials at least five minutes before the old ones expire. */
const REFRESH_AHEAD_MS = 5 * 60 * 1000;
const MIN_INTERVAL_MS = 10_000;
/** The expiry is the parent's word, which may be any time to come. */
const MAX_INTERVAL_MS = 3600 * 1000;
const RETRY = { minMs: 1_000, maxMs: 60_000 };

export interface KeeperDeps {
  readonly fetch: (signal: AbortSignal) => Promise<AwsCredentials>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The refreshing itself broke; a refresh that fails is only logged and tried again. */
  readonly onFailure: (error: unknown) => void;
}

export class CredentialKeeper implements Service {
  readonly #deps: KeeperDeps;
  readonly #refreshing: BackgroundTask;
  #current: AwsCredentials | undefined;
  /** Whoever comes meanwhile waits for the same: the metadata service counts what it is asked. */
  #fetching: Promise<AwsCredentials> | undefined;

  constructor(deps: KeeperDeps) {
    this.#deps = deps;
    this.#refreshing = new BackgroundTask((signal) => this.#refreshForever(signal), deps.onFailure);
  }

  /** Fetches once (the caller retries), then refreshes in the background until stopped. */
  async start(signal: AbortSignal): Promise<void> {
    this.#current = await this.#deps.fetch(signal);
    await this.#refreshing.start(signal);
  }

  async stop(): Promise<void> {
    await this.#refreshing.stop();
    this.#current = undefined;
  }

  /** What KMS requests are signed with. Fetches when there are none or they were discarded. */
  readonly credentials = async (): Promise<AwsCredentials> => {
    return this.#current ?? (await this.#fetch());
  };

  /** KMS says they are no good: the next request fetches new ones. */
  discard(): void {
    this.#current = undefined;
  }

  /** Somebody who is trusted less says so: those that there are stay until there are others. Never rejects. */
  async renew(): Promise<void> {
    await this.#fetch().catch((error: unknown) => {
      if (this.#refreshing.signal.aborted) return;
      this.#deps.logger.log('warn', 'credentials.refresh-failed', { reason: describeError(error), failures: 1 });
    });
  }

  #fetch(): Promise<AwsCredentials> {
    this.#fetching ??= this.#deps
      .fetch(this.#refreshing.signal)
      .then((fresh) => {
        this.#current = fresh;
        return fresh;
      })
      .finally(() => {
        this.#fetching = undefined;
      });
    return this.#fetching;
  }

  #refreshInMs(): number {
    const expiresMs = this.#current?.expiration?.getTime();
    if (expiresMs === undefined) return MIN_INTERVAL_MS;
    const refreshInMs = expiresMs - REFRESH_AHEAD_MS - this.#deps.clock.nowMs();
    return Math.min(MAX_INTERVAL_MS, Math.max(MIN_INTERVAL_MS, refreshInMs));
  }

  async #refreshForever(signal: AbortSignal): Promise<void> {
    const { clock, random, logger } = this.#deps;
    let failures = 0;
    for (;;) {
      await clock.sleep(failures === 0 ? this.#refreshInMs() : backoffMs(RETRY, failures - 1, random), signal);
      try {
        const { expiration } = await this.#fetch();
        failures = 0;
        logger.log('info', 'credentials.refreshed', { expiresMs: expiration?.getTime() });
      } catch (error) {
        signal.throwIfAborted();
        failures += 1;
        logger.log('warn', 'credentials.refresh-failed', { reason: describeError(error), failures });
      }
    }
  }
}
