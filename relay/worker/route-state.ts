/** A route as the worker keeps it: everything that can be prepared once is. */
import type { Cid } from '../../wire/brands.ts';
import { matcherOf } from '../../wire/networks.ts';
import type { CounterName } from '../counters.ts';
import { COUNTER } from '../counters.ts';
import type { RouteLimits, RouteSpec } from '../route.ts';
import type { Engine } from './engine.ts';
import type { FromPeer } from './peer-tally.ts';
import { PeerTally } from './peer-tally.ts';
import type { Transport } from './transport.ts';
import { TRANSPORTS } from './transport.ts';
import type { Upstream } from './upstream.ts';
import { upstreamOf } from './upstream.ts';

/** Whoever waits for the route's connections to end (drain.ts). */
export interface RouteDrain {
  onConnectionClosed(engine: Engine): void;
  /** Ends at once. */
  cut(engine: Engine): void;
}

/** A connection as places.ts sees it: it may have to make room. */
export interface Sheddable extends FromPeer {
  readonly acceptedMs: number;
  lookAgain(engine: Engine): void;
  shed(engine: Engine, limit: string): void;
}

export class RouteState {
  readonly label: string;
  readonly limits: RouteLimits;
  readonly spec: RouteSpec;
  readonly listenTransport: Transport;
  readonly upstream: Upstream;
  readonly allowedCids: ReadonlySet<Cid> | undefined;
  /** Whether whoever connects from there is a load balancer. */
  readonly isBalancer: (address: string) => boolean;
  readonly peers = new PeerTally<Sheddable>();
  /** Set when the route is on its way out; it accepts nothing any more. */
  drain: RouteDrain | undefined = undefined;
  /** Attempts to connect that were reset, since one was not. */
  connectsReset = 0;
  readonly #counters: Float64Array;

  constructor(spec: RouteSpec, counters: SharedArrayBuffer) {
    this.label = spec.label;
    this.limits = spec.limits;
    this.spec = spec;
    this.listenTransport = TRANSPORTS[spec.listen.kind];
    this.upstream = upstreamOf(spec.connect);
    this.allowedCids = spec.allowedCids === undefined ? undefined : new Set(spec.allowedCids);
    const { preface } = spec;
    this.isBalancer = matcherOf(('balancers' in preface && preface.balancers) || []);
    this.#counters = new Float64Array(counters);
  }

  get active(): number {
    return this.#counters[COUNTER.active] ?? 0;
  }

  get hasOpened(): boolean {
    return (this.#counters[COUNTER.opened] ?? 0) > 0;
  }

  get pending(): number {
    return this.#counters[COUNTER.pending] ?? 0;
  }

  count(name: CounterName, change: number): void {
    const slot = COUNTER[name];
    this.#counters[slot] = (this.#counters[slot] ?? 0) + change;
  }

  /** Keeps the largest value seen. */
  largest(name: CounterName, value: number): void {
    const slot = COUNTER[name];
    if (value > (this.#counters[slot] ?? 0)) this.#counters[slot] = value;
  }
}
