/** A route as the worker keeps it: everything that can be prepared once is. */
import type { Cid } from '../../wire/brands.ts';
import type { CounterName } from '../counters.ts';
import { COUNTER } from '../counters.ts';
import type { RouteLimits, RouteSpec } from '../route.ts';
import type { Connection } from './connection.ts';
import type { Drain } from './drain.ts';
import type { Engine } from './engine.ts';
import type { Transport } from './transport.ts';
import { TRANSPORTS } from './transport.ts';
import type { Upstream } from './upstream.ts';
import { upstreamOf } from './upstream.ts';

/** What happens between accepting a connection and relaying it. */
export interface Policy {
  /** The connection was admitted; its downstream is readable or will be. */
  start(engine: Engine, connection: Connection): void;
  /** The upstream can take bytes. */
  connected(engine: Engine, connection: Connection): void;
  /** Dialling failed; `hasTimedOut` or refused. May answer the downstream; the connection is closed afterwards. */
  notConnected(engine: Engine, connection: Connection, hasTimedOut: boolean): void;
}

export class RouteState {
  readonly label: string;
  readonly limits: RouteLimits;
  readonly spec: RouteSpec;
  readonly policy: Policy;
  readonly listenTransport: Transport;
  readonly upstream: Upstream;
  readonly allowedCids: ReadonlySet<Cid> | undefined;
  /** Set when the route is on its way out; it accepts nothing any more. */
  drain: Drain | undefined = undefined;
  readonly #counters: Float64Array;

  constructor(spec: RouteSpec, policy: Policy, counters: SharedArrayBuffer) {
    this.label = spec.label;
    this.limits = spec.limits;
    this.spec = spec;
    this.policy = policy;
    this.listenTransport = TRANSPORTS[spec.listen.kind];
    this.upstream = upstreamOf(spec.connect);
    this.allowedCids = spec.allowedCids === undefined ? undefined : new Set(spec.allowedCids);
    this.#counters = new Float64Array(counters);
  }

  get active(): number {
    return this.#counters[COUNTER.active] ?? 0;
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
