/**
 * The public ports exist only while the enclave can serve. They open when it first says `serving`, stay through passing trouble
 * (`degraded`: /readyz turns red instead), and close when it fails, stops or is lost. One that cannot be opened is tried again
 * for as long as it is wanted, and until then the parent is not ready: ready means that applications can connect.
 */
import type { Relay } from '../../relay/relay.ts';
import type { RouteSpec } from '../../relay/route.ts';
import { describeError, errorCode } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Endpoint } from '../../wire/endpoint.ts';
import { formatEndpoint } from '../../wire/endpoint.ts';
import type { Reason } from '../operator/host-status.ts';
import type { EnclaveView } from './view.ts';

export interface IngressGateDeps {
  readonly relay: Relay;
  readonly routes: readonly RouteSpec[];
  readonly view: EnclaveView;
  readonly drainMs: number;
  readonly logger: Logger;
}

export class IngressGate {
  readonly #deps: IngressGateDeps;
  readonly #open = new Map<string, Endpoint>();
  #failure: Reason | null = null;
  #wanted = false;
  #closed = false;
  #moving: Promise<void> | undefined;

  constructor(deps: IngressGateDeps) {
    this.#deps = deps;
  }

  /** Where applications connect, while the gate is open: of several ports the first. */
  get address(): Endpoint | undefined {
    const [first] = this.#deps.routes;
    return first && this.#open.get(first.label);
  }

  /** Whether every public port is open. */
  get isOpen(): boolean {
    return this.#open.size === this.#deps.routes.length;
  }

  /** Why it is not open although the enclave serves; null while it is, or is not wanted. */
  get failure(): Reason | null {
    return this.#failure;
  }

  /**
   * Opens every public port for a moment, so that one that is taken stops a start instead of an enclave that has booted.
   * @throws RelayError RELAY_ADDRESS_IN_USE, RELAY_PERMISSION, RELAY_BIND_FAILED, RELAY_RESOLVE_FAILED
   */
  async rehearse(): Promise<void> {
    for (const route of this.#deps.routes) {
      await this.#deps.relay.addRoute(route);
      await this.#deps.relay.removeRoute(route.label, { drainMs: 1 });
    }
  }

  /** Opens or closes as the enclave's state demands. */
  follow(): void {
    const { state } = this.#deps.view;
    const mayServe = state === 'serving' || (state === 'degraded' && this.isOpen);
    this.#wanted = mayServe && !this.#closed;
    if (!this.#wanted) this.#failure = null;
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
      while (!this.#isAsWanted()) await (this.#wanted ? this.#openAll() : this.#shutAll());
    } catch (error) {
      this.#noteFailure(error);
    } finally {
      this.#moving = undefined;
    }
  }

  #isAsWanted(): boolean {
    return this.#wanted ? this.isOpen : this.#open.size === 0;
  }

  async #openAll(): Promise<void> {
    const { relay, routes, view, logger } = this.#deps;
    for (const route of routes.filter(({ label }) => !this.#open.has(label))) {
      const address = await relay.addRoute(route);
      this.#open.set(route.label, address);
      logger.log('info', 'ingress.opened', { route: route.label, address: formatEndpoint(address) });
    }
    this.#failure = null;
    view.changed();
  }

  async #shutAll(): Promise<void> {
    const { relay, drainMs, logger } = this.#deps;
    for (const label of this.#open.keys()) {
      const { cut } = await relay.removeRoute(label, { drainMs });
      this.#open.delete(label);
      logger.log('warn', 'ingress.closed', { route: label, sessionsCut: cut });
    }
  }

  /** The daemon looks again every second (`follow`); a reason that stays is logged once. */
  #noteFailure(error: unknown): void {
    const failure = { code: errorCode(error) ?? null, message: describeError(error) };
    const isNews = failure.code !== this.#failure?.code || failure.message !== this.#failure.message;
    this.#failure = failure;
    if (!isNews) return;
    this.#deps.logger.log('error', 'ingress.failed', { code: failure.code, reason: failure.message });
    this.#deps.view.changed();
  }
}
