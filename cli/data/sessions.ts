/**
 * One session at a time, made anew where it is lost: an enclave that is rolled out or a database that changes over costs a pause. Work is
 * given whole and is done again from its beginning, so that it must be such that this does no harm.
 */
import { backoffMs } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorCode } from '../../runtime/errors.ts';
import type { Random } from '../../runtime/random.ts';
import { CliError } from '../errors.ts';
import { failureOf, sqlStateOf } from './failures.ts';

/** States whose messages name objects, and no value. */
const TELLING = /^(0A|25|28|42|55)/;

function asRefused(error: unknown): unknown {
  const state = sqlStateOf(error);
  if (state === undefined) return error;
  const found = TELLING.test(state) ? `${state} ${error instanceof Error ? error.message : ''}` : state;
  return new CliError('CLI_DATA_REFUSED', 'a statement of this command is refused', { found });
}

const reasonOf = (error: unknown) => errorCode(error) ?? (error instanceof Error ? error.message : 'unknown');

const WAITS = { minMs: 100, maxMs: 5_000 };

interface Ending {
  end(): Promise<void>;
}

export interface SessionsOptions<Session extends Ending> {
  readonly open: () => Promise<Session>;
  /** From the first failure on, without anything done meanwhile. */
  readonly patienceMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly told: (text: string) => void;
}

export class Sessions<Session extends Ending> {
  readonly #options: SessionsOptions<Session>;
  #session: Session | undefined;

  constructor(options: SessionsOptions<Session>) {
    this.#options = options;
  }

  /** @throws what the work throws that no other session mends; CliError CLI_DATABASE; the signal's reason between two tries */
  async use<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
    const { clock, random, signal, patienceMs, told } = this.#options;
    let failedAtMs: number | undefined;
    for (let attempt = 0; ; attempt += 1) {
      try {
        this.#session ??= await this.#options.open();
        return await work(this.#session);
      } catch (error) {
        const failure = failureOf(error);
        if (failure !== 'lost' && failure !== 'again' && failure !== 'engine') throw asRefused(error);
        if (failure === 'lost') await this.renew();
        failedAtMs ??= clock.monotonicMs();
        if (clock.monotonicMs() - failedAtMs > patienceMs) {
          throw new CliError('CLI_DATABASE', 'the enclave, its acra-server or its database does not come back', {
            cause: error,
          });
        }
        if (failure === 'lost' && attempt === 0) told(`no session (${reasonOf(error)}); connecting again …`);
        if (failure === 'engine') told(`the enclave protects no value now (${reasonOf(error)}); trying again …`);
        await clock.sleep(backoffMs(WAITS, attempt, random), signal);
      }
    }
  }

  /** The next work gets a new session: one that knows what the database has become. */
  async renew(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.end();
  }
}
