/**
 * The guest's end of hybrid vsock: one unix socket for all ports. Whoever connects says `CONNECT <port>\n`; if a route listens
 * on the port, the answer is `OK <port>\n` and the route takes over.
 * Specification: wire/endpoint.ts, `vsock-uds-guest`.
 */

import type { HybridEndpoint } from '../../wire/endpoint.ts';
import { formatEndpoint } from '../../wire/endpoint.ts';
import { RelayError } from '../errors.ts';
import { encodeOkLine, MAX_HYBRID_LINE_BYTES, parseConnectLine } from '../preface/hybrid.ts';
import { takeOver } from './admission.ts';
import { openListeningSocket } from './bind.ts';
import type { Engine, Target, Timed } from './engine.ts';
import { HANG_UP, SOCKET_EVENTS } from './engine.ts';
import { Listener } from './listener.ts';
import { acceptDenial, countDenial } from './places.ts';
import type { RouteState } from './route-state.ts';
import { consume, peek, sendWhole } from './small-io.ts';
import { TRANSPORTS } from './transport.ts';

/** A peer that has not said yet which port it wants. */
class Greeting implements Target, Timed {
  readonly fd: number;
  serial = 0;
  deadlineMs = 0;
  heapIndex = -1;
  readonly transport = TRANSPORTS['vsock-uds-guest'];
  receivedBytes = 0;
  isHungUp = false;
  readonly #mux: Mux;

  constructor(fd: number, mux: Mux) {
    this.fd = fd;
    this.#mux = mux;
  }

  onEvents(engine: Engine, flags: number): void {
    if ((flags & HANG_UP) !== 0) this.isHungUp = true;
    const { bytes, end } = peek(engine, this, MAX_HYBRID_LINE_BYTES);
    const line = parseConnectLine(bytes);
    if (line.kind === 'more' && end === undefined) return;
    if (line.kind !== 'port') {
      this.#mux.refuse(engine, this, line.kind === 'malformed' ? 'malformed' : 'gone');
      return;
    }
    consume(engine, this, line.length);
    this.#mux.connect(engine, this, line.port);
  }

  onDeadline(engine: Engine): void {
    this.#mux.refuse(engine, this, 'time-out');
  }

  abandon(engine: Engine): void {
    this.#mux.refuse(engine, this, 'internal');
  }
}

export class Mux {
  readonly #listener: Listener;
  readonly #routes = new Map<number, RouteState>();
  readonly #greetings = new Set<Greeting>();
  readonly #path: string;

  constructor(engine: Engine, endpoint: HybridEndpoint) {
    this.#path = endpoint.path;
    this.#listener = Listener.open(engine, openListeningSocket(endpoint), (_engine, fd) => this.#greet(_engine, fd));
  }

  /** @throws RelayError RELAY_ADDRESS_IN_USE */
  add(route: RouteState, endpoint: HybridEndpoint): void {
    if (this.#routes.has(endpoint.port)) {
      const found = formatEndpoint(endpoint);
      throw new RelayError('RELAY_ADDRESS_IN_USE', 'another route listens on this port of the path', { found });
    }
    this.#routes.set(endpoint.port, route);
  }

  /** @returns whether no route is left. */
  remove(route: RouteState): boolean {
    for (const [port, owner] of this.#routes) if (owner === route) this.#routes.delete(port);
    return this.#routes.size === 0;
  }

  close(engine: Engine): void {
    this.#listener.close(engine);
    for (const greeting of this.#greetings) this.#drop(engine, greeting);
  }

  refuse(engine: Engine, greeting: Greeting, reason: string): void {
    engine.log.limited('warn', 'relay.refused-port', this.#path, { reason });
    this.#drop(engine, greeting);
  }

  connect(engine: Engine, greeting: Greeting, port: number): void {
    const route = this.#routes.get(port);
    if (route === undefined) {
      this.refuse(engine, greeting, `no route on port ${port}`);
      return;
    }
    const { listen } = route.spec;
    const cid = 'cid' in listen ? listen.cid : undefined;
    const peer = { cid, address: undefined };
    const denial = acceptDenial(engine, route, peer);
    const isGone = denial === undefined && !sendWhole(engine, greeting, encodeOkLine(port));
    if (denial !== undefined) countDenial(engine, route, peer, denial);
    if (isGone) route.count('gone', 1);
    if (denial !== undefined || isGone) {
      this.#drop(engine, greeting);
      return;
    }
    engine.deadlines.clear(greeting);
    this.#greetings.delete(greeting);
    takeOver(engine, route, greeting, peer);
  }

  /** As many may be undecided, and for as long, as the routes together allow. */
  #greet(engine: Engine, fd: number): void {
    const limits = [...this.#routes.values()].map((route) => route.limits);
    const maxGreetings = limits.reduce((sum, { maxPending }) => sum + maxPending, 0);
    const timeoutMs = Math.max(...limits.map(({ prefaceTimeoutMs }) => prefaceTimeoutMs));
    const greeting = new Greeting(fd, this);
    if (this.#greetings.size >= maxGreetings || engine.poller.add(greeting, SOCKET_EVENTS) !== 0) {
      engine.log.limited('warn', 'relay.shed', this.#path, { reason: 'maxPending' });
      engine.sockets.close(fd);
      return;
    }
    this.#greetings.add(greeting);
    engine.deadlines.set(greeting, engine.nowMs + timeoutMs);
    greeting.onEvents(engine, 0);
  }

  #drop(engine: Engine, greeting: Greeting): void {
    engine.deadlines.clear(greeting);
    this.#greetings.delete(greeting);
    engine.poller.forget(greeting);
    engine.sockets.close(greeting.fd);
    engine.gate.onDescriptorsFreed(engine);
  }
}
