/**
 * The public port exists only while the enclave can serve. It opens when the enclave first says `serving`, stays through
 * passing trouble (`degraded`: /readyz turns red instead), and closes when the enclave fails, stops or is lost.
 */

import type { Relay } from '../../relay/relay.ts';
import type { RouteSpec } from '../../relay/route.ts';
import { describeError } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Endpoint } from '../../wire/endpoint.ts';
import { formatEndpoint } from '../../wire/endpoint.ts';
import type { EnclaveView } from './view.ts';

export interface IngressGateDeps {
  readonly relay: Relay;
  readonly route: RouteSpec;
  readonly view: EnclaveView;
  readonly drainMs: number;
  readonly logger: Logger;
}

export class IngressGate {
  readonly #deps: IngressGateDeps;
  #address: Endpoint | undefined;
  #wanted = false;
  #closed = false;
  #moving: Promise<void> | undefined;

  constructor(deps: IngressGateDeps) {
    this.#deps = deps;
  }

  /** Where applications connect, while the gate is open. */
  get address(): Endpoint | undefined {
    return this.#address;
  }

  /** Opens or closes as the enclave's state demands. */
  follow(): void {
    const { state } = this.#deps.view;
    const mayServe = state === 'serving' || (state === 'degraded' && this.#address !== undefined);
    this.#wanted = mayServe && !this.#closed;
    this.#moving ??= this.#move();
  }

  /** For good: whatever the enclave says while the daemon stops opens nothing. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wanted = false;
    await this.#moving;
    await this.#move();
  }

  /** Ends in the same turn in which it last looked, so that no wish falls between two of them. */
  async #move(): Promise<void> {
    await undefined;
    try {
      while (this.#wanted !== (this.#address !== undefined)) await (this.#wanted ? this.#open() : this.#shut());
    } catch (error) {
      this.#deps.logger.log('error', 'ingress.failed', { reason: describeError(error) });
    } finally {
      this.#moving = undefined;
    }
  }

  async #open(): Promise<void> {
    const { relay, route, view, logger } = this.#deps;
    this.#address = await relay.addRoute(route);
    logger.log('info', 'ingress.opened', { address: formatEndpoint(this.#address) });
    view.changed();
  }

  async #shut(): Promise<void> {
    const { relay, route, drainMs, logger } = this.#deps;
    const { cut } = await relay.removeRoute(route.label, { drainMs });
    this.#address = undefined;
    logger.log('warn', 'ingress.closed', { sessionsCut: cut });
  }
}
