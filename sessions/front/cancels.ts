/**
 * Requests to cancel, passed on a bounded number at a time and a second: each is a TLS handshake with the database, and whoever sends
 * one in clear has shown nothing. Whoever sent one learns nothing of it, as with PostgreSQL.
 */
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import type { Logger } from '../../runtime/log.ts';
import { cancelAt } from '../edge/cancel.ts';
import type { DatabaseTarget } from '../edge/database-connection.ts';

const TIMEOUT_MS = 10_000;
const MAX_AT_ONCE = 16;
/** Beyond a burst of MAX_AT_ONCE. */
const MAX_A_SECOND = 20;

export class Cancels {
  readonly #deps: { readonly database: DatabaseTarget; readonly clock: Clock; readonly logger: Logger };
  #underWay = 0;
  /** How many may begin now, as of a time on the monotonic clock. */
  #room = MAX_AT_ONCE;
  #atMs: number;

  constructor(deps: { readonly database: DatabaseTarget; readonly clock: Clock; readonly logger: Logger }) {
    this.#deps = deps;
    this.#atMs = deps.clock.monotonicMs();
  }

  /** @param packet the whole CancelRequest */
  pass(packet: Buffer): void {
    if (this.#underWay >= MAX_AT_ONCE || !this.#mayBegin()) {
      this.#deps.logger.log('warn', 'front.cancel-dropped');
      return;
    }
    this.#underWay += 1;
    void this.#send(packet).finally(() => {
      this.#underWay -= 1;
    });
  }

  #mayBegin(): boolean {
    const nowMs = this.#deps.clock.monotonicMs();
    this.#room = Math.min(MAX_AT_ONCE, this.#room + ((nowMs - this.#atMs) * MAX_A_SECOND) / 1000);
    this.#atMs = nowMs;
    if (this.#room < 1) return false;
    this.#room -= 1;
    return true;
  }

  async #send(packet: Buffer): Promise<void> {
    using deadline = new Deadline(this.#deps.clock, TIMEOUT_MS);
    await cancelAt(this.#deps.database, packet, deadline.signal).catch(() => {
      this.#deps.logger.log('warn', 'front.cancel-failed');
    });
  }
}
