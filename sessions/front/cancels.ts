/** Requests to cancel, passed on a bounded number at a time. Whoever sent one learns nothing of it, as with PostgreSQL. */
import type { Clock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import type { Logger } from '../../runtime/log.ts';
import { cancelAt } from '../edge/cancel.ts';
import type { DatabaseTarget } from '../edge/database-connection.ts';

const TIMEOUT_MS = 10_000;
/** Each is a connection to the database; a client needs no certificate to send one in clear. */
const MAX_AT_ONCE = 16;

export class Cancels {
  readonly #deps: { readonly database: DatabaseTarget; readonly clock: Clock; readonly logger: Logger };
  #underWay = 0;

  constructor(deps: { readonly database: DatabaseTarget; readonly clock: Clock; readonly logger: Logger }) {
    this.#deps = deps;
  }

  /** @param packet the whole CancelRequest */
  pass(packet: Buffer): void {
    if (this.#underWay >= MAX_AT_ONCE) {
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
