/**
 * What a relay is told to do: listen here, connect there, under these limits and this preface policy.
 * Specification: relay.md, "Shape" (Route, Preface policies).
 */
import type { Cid } from '../wire/brands.ts';
import type { Endpoint } from '../wire/endpoint.ts';

/** One `host:port` that an HTTP CONNECT request may name. Compared without regard to case; no wildcards. */
export interface Authority {
  readonly host: string;
  readonly port: number;
}

/**
 * What must hold of the first bytes before anything is relayed.
 *
 * `postgres-opening`: the downstream's first 8 bytes begin a PostgreSQL session or TLS; nothing is dialled before. They are passed
 * on unchanged. Until they are here the connection is silent and holds no place (RouteLimits). With `tellsSource` the upstream
 * first gets a header of the PROXY protocol that says whose connection it is. A peer from one of the `balancers` (networks) must
 * send such a header itself, which is taken off, and counts for whom it names.
 * `postgres-tls`: the downstream sends an SSLRequest and the upstream answers `S`, or it is a 16-byte CancelRequest.
 * With `takesSource` a header of the PROXY protocol stands before that; it is taken off.
 * `tells-source`: any protocol; the upstream is dialled at once, and first gets a header of the PROXY protocol that says whose
 * connection it is. `balancers` as above.
 * `takes-source`: the downstream sends such a header first. It is taken off; with `isPassedOn` one of ours that says the same is
 * what the upstream gets first.
 * `http-connect`: the downstream sends an HTTP CONNECT for an authority on the list; that authority is then the upstream,
 * and the route's own `connect` is not used.
 */
export type PrefacePolicy =
  | { readonly kind: 'none' }
  | { readonly kind: 'postgres-opening'; readonly tellsSource?: boolean; readonly balancers?: readonly string[] }
  | { readonly kind: 'postgres-tls'; readonly takesSource?: boolean }
  | { readonly kind: 'tells-source'; readonly balancers?: readonly string[] }
  | { readonly kind: 'takes-source'; readonly isPassedOn: boolean }
  | { readonly kind: 'http-connect'; readonly allow: readonly Authority[] };

export interface RouteLimits {
  /** Connections held at once, pending ones included, silent ones not; more are closed. */
  readonly maxConnections: number;
  /** Connections that may be in their preface or in connecting at once, silent ones not counted; more are closed. */
  readonly maxPending: number;
  /** Connections held at once from one IPv4 address or one IPv6 /64. Absent: only `maxConnections` holds. */
  readonly maxConnectionsPerAddress?: number;
  /** Silent connections held at once beside these; over it the oldest is closed. Absent: as many as maxPending. */
  readonly maxSilent?: number;
  /** The same for one address. Absent: only `maxSilent` holds. */
  readonly maxSilentPerAddress?: number;
  /** From the decision to dial until the upstream can take bytes: name resolution, all addresses, hybrid handshake. */
  readonly connectTimeoutMs: number;
  /** For each wait that a preface policy makes. */
  readonly prefaceTimeoutMs: number;
  /** Without a byte in either direction. 0: never. */
  readonly idleTimeoutMs: number;
}

export interface RouteSpec {
  /** Unique in a relay; names the route in metrics and logs. */
  readonly label: string;
  readonly listen: Endpoint;
  /** A `tcp` host may be a name; it is resolved anew for each connection, within its time to live. */
  readonly connect: Endpoint;
  readonly preface: PrefacePolicy;
  readonly limits: RouteLimits;
  /** CIDs that may connect; absent: any. Needs a listener that knows its peers' CID (vsock or hybrid). */
  readonly allowedCids?: readonly Cid[];
}
