/**
 * Which TLS key sessions may go to: that of the enclave which was verified last. It is verified when somebody needs it and nothing is
 * pinned, once for all who wait; a key that another server shows is never believed without a verification that names it.
 *
 *   nothing pinned ──verified──▶ pinned ──another key seen, or time──▶ verifying ──▶ pinned
 *         ▲                                                              │
 *         └───────────── not verified: sessions end ◀────────────────────┘
 */

import { MeasurementsError } from '../../attestation/published/errors.ts';
import type { Demands } from '../../attestation/verify/demands.ts';
import type { VerifyReport } from '../../attestation/verify/report.ts';
import { untilAborted } from '../../runtime/abort.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import type { Random } from '../../runtime/random.ts';
import type { Fetched } from '../verify/fetched.ts';
import { judge } from '../verify/judge.ts';
import { ConnectError } from './errors.ts';

const NONCE_BYTES = 32;
const VERIFY_TIMEOUT_MS = 20_000;
/** A failure is the answer for whoever comes this soon: the enclave limits how often it is asked. */
const FAILURE_LASTS_MS = 1_000;

/** Whatever does not depend on the connection. Asked each time: measurements expire. */
type DemandsSource = () => Promise<Omit<Demands, 'nonce' | 'tlsKeySha256'>>;

export interface TrustDeps {
  /** Asks the enclave on its public port. */
  readonly fetch: (nonce: Buffer, signal: AbortSignal) => Promise<Fetched>;
  readonly demands: DemandsSource;
  readonly clock: Clock;
  readonly random: Random;
  /** After each verification that passed. */
  readonly onVerified: (report: VerifyReport, isNewKey: boolean) => void;
  /** What was verified is not to be trusted any more, by what is demanded now: sessions to it end. */
  readonly onDistrust: (error: unknown) => void;
}

/** A TLS key that an attestation document named. */
export interface Pin {
  readonly keySha256: Buffer;
}

export class EnclaveTrust {
  readonly #deps: TrustDeps;
  readonly #stopping = new AbortController();
  #pin: Pin | undefined;
  #lastKey: Buffer | undefined;
  #verifying: Promise<Pin> | undefined;
  #failure: { readonly error: unknown; readonly atMs: number } | undefined;

  constructor(deps: TrustDeps) {
    this.#deps = deps;
  }

  get pinned(): Pin | undefined {
    return this.#pin;
  }

  /** What is pinned, verified first where nothing is. @throws as renew */
  current(signal: AbortSignal): Promise<Pin> {
    return this.#pin ? Promise.resolve(this.#pin) : this.renew(undefined, signal);
  }

  /**
   * @param doubted what the caller no longer believes; another pin that came meanwhile is as good as a new one
   * @throws ConnectError CONNECT_UNREACHABLE, CONNECT_NOT_VERIFIED; those of `fetch` and `demands`; the signal's reason
   */
  async renew(doubted: Pin | undefined, signal: AbortSignal): Promise<Pin> {
    if (this.#pin && this.#pin !== doubted) return this.#pin;
    const { clock } = this.#deps;
    const failure = this.#failure;
    if (failure && clock.monotonicMs() - failure.atMs < FAILURE_LASTS_MS) throw failure.error;
    this.#verifying ??= this.#verify().finally(() => {
      this.#verifying = undefined;
    });
    return untilAborted(this.#verifying, signal);
  }

  /** Verifications end; none begins. */
  stop(): void {
    this.#stopping.abort(new ConnectError('CONNECT_UNREACHABLE', 'acra-enclave connect is being stopped'));
  }

  async #verify(): Promise<Pin> {
    const { clock, onVerified, onDistrust } = this.#deps;
    try {
      const { keySha256, report } = await this.#askAndJudge();
      const isNewKey = this.#lastKey?.equals(keySha256) !== true;
      this.#pin = { keySha256 };
      this.#lastKey = keySha256;
      this.#failure = undefined;
      onVerified(report, isNewKey);
      return this.#pin;
    } catch (error) {
      this.#pin = undefined;
      this.#failure = { error, atMs: clock.monotonicMs() };
      if (this.#concernsSessions(error)) onDistrust(error);
      throw error;
    }
  }

  async #askAndJudge(): Promise<{ readonly keySha256: Buffer; readonly report: VerifyReport }> {
    const { clock, random, fetch } = this.#deps;
    const late = () => new ConnectError('CONNECT_UNREACHABLE', `no attestation within ${VERIFY_TIMEOUT_MS} ms`);
    using deadline = new Deadline(clock, VERIFY_TIMEOUT_MS, this.#stopping.signal, late);
    const demands = await this.#deps.demands();
    const nonce = random.bytes(NONCE_BYTES);
    const fetched = await fetch(nonce, deadline.signal);
    if (!fetched.tls) throw new ConnectError('CONNECT_UNREACHABLE', 'the attestation came by no TLS connection');
    const { keySha256 } = fetched.tls;
    const report = judge(fetched, { ...demands, nonce });
    if (report.verdict === 'pass') return { keySha256, report };
    throw new NotVerified(report, keySha256);
  }

  /**
   * Whoever shows another key says nothing of the enclave that sessions go to: another one may be taking its place. What cannot be reached
   * or read says nothing at all.
   */
  #concernsSessions(error: unknown): boolean {
    if (error instanceof NotVerified) return this.#lastKey?.equals(error.keySha256) === true;
    return error instanceof MeasurementsError && error.code !== 'MEASUREMENTS_FILE';
  }
}

/** Which claims failed, and who showed which key. */
class NotVerified extends ConnectError {
  readonly keySha256: Buffer;

  constructor({ claims }: VerifyReport, keySha256: Buffer) {
    const failed = claims.filter(({ result }) => result === 'fail');
    const found = failed.map(({ claim, code, reason }) => `${claim}: ${code ?? ''} ${reason ?? ''}`).join('; ');
    super('CONNECT_NOT_VERIFIED', 'the enclave does not pass verification', { found });
    this.keySha256 = keySha256;
  }
}
