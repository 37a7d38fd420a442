/** The routes of a relay and their listeners: adding, taking out, closing all. */
import type { Endpoint, HybridEndpoint } from '../../wire/endpoint.ts';
import { formatEndpoint } from '../../wire/endpoint.ts';
import { RelayError } from '../errors.ts';
import type { RouteSpec } from '../route.ts';
import { admit } from './admission.ts';
import { openListeningSocket } from './bind.ts';
import { cutConnections, Drain } from './drain.ts';
import type { Engine } from './engine.ts';
import { Listener } from './listener.ts';
import { Mux } from './mux.ts';
import { noteReset } from './resets.ts';
import { RouteState } from './route-state.ts';
import { vsockBufferOf } from './vsock-buffers.ts';

interface Entry {
  readonly route: RouteState;
  /** Stops accepting for this route; idempotent. */
  readonly unlisten: () => void;
}

interface Listening {
  readonly endpoint: Endpoint;
  readonly unlisten: () => void;
  /** Of the listener, where it is the route's own. */
  readonly fd?: number;
}

export class RouteTable {
  readonly #engine: Engine;
  readonly #entries = new Map<string, Entry>();
  readonly #muxes = new Map<string, Mux>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** @returns the address that is listened on. @throws RelayError */
  add(spec: RouteSpec, counters: SharedArrayBuffer): Endpoint {
    if (this.#entries.has(spec.label)) {
      throw new RelayError('RELAY_ROUTE_EXISTS', 'a route with this label exists', { found: spec.label });
    }
    const route = new RouteState(spec, counters);
    const { endpoint, unlisten, fd } =
      spec.listen.kind === 'vsock-uds-guest' ? this.#listenOnMux(route, spec.listen) : this.#listen(route);
    this.#entries.set(spec.label, { route, unlisten });
    const listen = formatEndpoint(endpoint);
    const connect = route.upstream.text;
    const vsockBufferBytes = vsockBufferOf(this.#engine, route, fd);
    this.#engine.log.always('info', 'relay.listening', { route: spec.label, listen, connect, vsockBufferBytes });
    return endpoint;
  }

  /** Stops accepting on these routes, and forgets them when their last connection is gone. */
  remove(labels: readonly string[], drainMs: number, onDone: (cut: number) => void): void {
    const routes = labels.map((label) => this.#unlisten(label));
    const drain = new Drain(routes, (cut) => {
      for (const { label } of routes) {
        this.#entries.delete(label);
        this.#engine.log.always('info', 'relay.route-removed', { route: label });
        this.#engine.log.forgetRoute(label);
      }
      onDone(cut);
    });
    drain.start(this.#engine, drainMs);
  }

  /** Labels of the routes that accept connections. */
  listening(): string[] {
    return [...this.#entries.values()].filter(({ route }) => route.drain === undefined).map(({ route }) => route.label);
  }

  get connections(): number {
    return [...this.#entries.values()].reduce((sum, { route }) => sum + route.active, 0);
  }

  /** Closes all listeners and connections at once; drains that are under way end. */
  close(): void {
    for (const { unlisten } of this.#entries.values()) unlisten();
    const routes = [...this.#entries.values()].map(({ route }) => route);
    for (const { drain } of routes) drain?.cut(this.#engine);
    cutConnections(this.#engine, routes);
    this.#entries.clear();
  }

  #unlisten(label: string): RouteState {
    const entry = this.#entries.get(label);
    if (entry === undefined || entry.route.drain !== undefined) {
      throw new RelayError('RELAY_ROUTE_UNKNOWN', 'there is no such route', { found: label });
    }
    entry.unlisten();
    return entry.route;
  }

  #listen(route: RouteState): Listening {
    const engine = this.#engine;
    const listener = Listener.open(
      engine,
      openListeningSocket(route.spec.listen),
      (_engine, fd, peer) => admit(engine, route, fd, peer),
      (errno) => noteReset(route, 'accept', errno),
    );
    let isOpen = true;
    const unlisten = () => {
      if (isOpen) listener.close(engine);
      isOpen = false;
    };
    return { endpoint: listener.endpoint, unlisten, fd: listener.fd };
  }

  #listenOnMux(route: RouteState, endpoint: HybridEndpoint): Listening {
    const mux = this.#muxes.get(endpoint.path) ?? new Mux(this.#engine, endpoint);
    this.#muxes.set(endpoint.path, mux);
    mux.add(route, endpoint);
    const unlisten = () => {
      if (this.#muxes.get(endpoint.path) !== mux || !mux.remove(route)) return;
      this.#muxes.delete(endpoint.path);
      mux.close(this.#engine);
    };
    return { endpoint, unlisten };
  }
}
