/**
 * Requests to cancel, passed on a bounded number at a time and a second: each is a TLS handshake with the database, and whoever sends
 * one in clear has shown nothing. Whoever sent one learns nothing of it, as with PostgreSQL.
 */
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import type { Logger } from '../../runtime/log.ts';
import { TokenBucket } from '../../runtime/token-bucket.ts';
import { cancelAt } from '../edge/cancel.ts';
import type { DatabaseTarget } from '../edge/database-connection.ts';

const TIMEOUT_MS = 10_000;
const MAX_AT_ONCE = 16;
const MAX_A_SECOND = 20;

export class Cancels {
  readonly #deps: { readonly database: DatabaseTarget; readonly clock: Clock; readonly logger: Logger };
  readonly #rate: TokenBucket;
  #underWay = 0;

  constructor(deps: { readonly database: DatabaseTarget; readonly clock: Clock; readonly logger: Logger }) {
    this.#deps = deps;
    this.#rate = new TokenBucket({ burst: MAX_AT_ONCE, perSecond: MAX_A_SECOND }, deps.clock);
  }

  /** @param packet the whole CancelRequest */
  pass(packet: Buffer): void {
    if (this.#underWay >= MAX_AT_ONCE || !this.#rate.take()) {
      this.#deps.logger.log('warn', 'front.cancel-dropped');
      return;
    }
    this.#underWay += 1;
    void this.#send(packet).finally(() => {
      this.#underWay -= 1;
    });
  }

  async #send(packet: Buffer): Promise<void> {
    using deadline = new Deadline(this.#deps.clock, TIMEOUT_MS);
    await cancelAt(this.#deps.database, packet, deadline.signal).catch(() => {
      this.#deps.logger.log('warn', 'front.cancel-failed');
    });
  }
}
