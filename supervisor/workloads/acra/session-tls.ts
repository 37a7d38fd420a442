/**
 * What sessions meet of the database's TLS. The probe asks as acra-server does (acra/server/database-tls.ts), but it is not acra-server:
 * where sessions fail again and again that the probe calls possible, acra-server's word counts. It logs every handshake that fails, and
 * none that succeeds, so that a success shows only in sessions that came and did not fail.
 *
 *   fine ──TOLERATED failures, and no round in which most sessions got through──▶ failing
 *   failing ──a round in which most sessions got through, or another certificate──▶ fine
 */
import { LOG_CODES } from '../../../acra/server/log-codes.ts';
import type { AcraLogRecord } from '../../../acra/server/log-record.ts';
import { SupervisorError } from '../../errors.ts';

/** acra-server contract, 12. */
const HANDSHAKE_FAILED = "Can't initialize tls connection with db";
/** A connection that ends is a database that went away, which the probe sees; these are what TLS itself complains of. */
const CONNECTION_ENDED = /^(unexpected )?EOF$|^(dial|read|write) /;
const OF_CERTIFICATE = /x509: /;
/** A single one may be a bit that fell over on the way. */
const TOLERATED = 3;

interface Round {
  readonly opened: number;
  readonly failed: number;
}

const NOTHING: Round = { opened: 0, failed: 0 };

export class SessionTls {
  readonly #sessions: () => number;
  #openedBefore: number;
  #failedNow = 0;
  /** The handshake of a session that was opened at the end of a round may fail in the next. */
  #last: Round = NOTHING;
  #failures = 0;
  #reason: string | undefined;
  #certificate: string | undefined;

  /** @param sessions how many applications have opened so far */
  constructor(sessions: () => number) {
    this.#sessions = sessions;
    this.#openedBefore = sessions();
  }

  /** Of any acra-server: the database is the same. */
  observe({ code, message, error }: Pick<AcraLogRecord, 'code' | 'message' | 'error'>): void {
    if (code !== LOG_CODES.tlsNotInitialized || message !== HANDSHAKE_FAILED) return;
    if (error !== undefined && CONNECTION_ENDED.test(error)) return;
    this.#failedNow += 1;
    this.#failures += 1;
    this.#reason = error;
  }

  /**
   * Ends a round: to be called whenever the database was probed and found good.
   * @param certificate the fingerprint of the one that it shows now
   * @throws SupervisorError BOOT_DATABASE_UNTRUSTED, BOOT_DATABASE_TLS_FAILED while sessions fail
   */
  endRound(certificate: string): void {
    const opened = this.#sessions();
    const round = { opened: opened - this.#openedBefore, failed: this.#failedNow };
    const isAnother = this.#certificate !== undefined && this.#certificate !== certificate;
    if (isAnother || mostGotThrough(this.#last, round)) this.#failures = round.failed;
    this.#openedBefore = opened;
    this.#failedNow = 0;
    this.#last = round;
    this.#certificate = certificate;
    if (this.#failures < TOLERATED) return;
    const reason = this.#reason ?? 'a reason that is withheld';
    const code = OF_CERTIFICATE.test(reason) ? 'BOOT_DATABASE_UNTRUSTED' : 'BOOT_DATABASE_TLS_FAILED';
    throw new SupervisorError(code, 'sessions fail at the database’s TLS, though the probe does not', {
      found: reason,
    });
  }
}

/** Of the sessions opened in the first of two rounds; what failed in the second may be among them. */
function mostGotThrough(first: Round, second: Round): boolean {
  return first.opened > 0 && 2 * (first.failed + second.failed) < first.opened;
}
