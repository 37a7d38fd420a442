/**
 * The ways in for clients: opened once, when sessions can work, and closed for good. Somebody may want them closed while they are
 * being opened (an acra-server that is given up at that moment); then they are closed as soon as they are open, and nobody reads
 * "serving" where nothing serves.
 */
import type { Relay } from '../relay/relay.ts';
import type { RouteSpec } from '../relay/route.ts';

export class PublicRoutes {
  readonly #relay: Pick<Relay, 'addRoute' | 'removeRoute'>;
  readonly #routes: readonly RouteSpec[];
  #opening: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(relay: Pick<Relay, 'addRoute' | 'removeRoute'>, routes: readonly RouteSpec[]) {
    this.#relay = relay;
    this.#routes = routes;
  }

  /** @returns whether they are open: not where `close` was called before. @throws RelayError */
  async open(): Promise<boolean> {
    if (this.#isClosed) return false;
    const opening = Promise.all(this.#routes.map((route) => this.#relay.addRoute(route)));
    this.#opening = opening.catch(() => undefined);
    await opening;
    return !this.#isClosed;
  }

  /** Idempotent. @returns how many sessions were cut */
  async close(drainMs: number): Promise<number> {
    this.#isClosed = true;
    await this.#opening;
    const cuts = this.#routes.map(({ label }) => this.#relay.removeRoute(label, { drainMs }).catch(() => ({ cut: 0 })));
    return (await Promise.all(cuts)).reduce((sum, { cut }) => sum + cut, 0);
  }
}
