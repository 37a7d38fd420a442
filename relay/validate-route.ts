/** What can be said about a route before it reaches the worker: limits in range, addresses that fit their role. */
import { CID_ANY } from '../wire/brands.ts';
import type { Endpoint } from '../wire/endpoint.ts';
import { formatEndpoint } from '../wire/endpoint.ts';
import { RelayError } from './errors.ts';
import type { RouteLimits, RouteSpec } from './route.ts';

/** Deadlines are kept as milliseconds since the start; this is over 24 days. */
const MAX_TIMEOUT_MS = 0x7fff_ffff;
const MAX_CONNECTIONS = 1_000_000;

type Range = readonly [min: number, max: number];

const RANGES: Readonly<Record<keyof RouteLimits, Range>> = {
  maxConnections: [1, MAX_CONNECTIONS],
  maxPending: [1, MAX_CONNECTIONS],
  maxConnectionsPerAddress: [1, MAX_CONNECTIONS],
  maxSilent: [1, MAX_CONNECTIONS],
  maxSilentPerAddress: [1, MAX_CONNECTIONS],
  connectTimeoutMs: [1, MAX_TIMEOUT_MS],
  prefaceTimeoutMs: [1, MAX_TIMEOUT_MS],
  idleTimeoutMs: [0, MAX_TIMEOUT_MS],
};

const OPTIONAL: ReadonlySet<keyof RouteLimits> = new Set([
  'maxConnectionsPerAddress',
  'maxSilent',
  'maxSilentPerAddress',
]);

function checkLimits(label: string, limits: RouteLimits): void {
  for (const [name, [min, max]] of Object.entries(RANGES) as [keyof RouteLimits, Range][]) {
    const value = limits[name];
    if (value === undefined && OPTIONAL.has(name)) continue;
    if (value !== undefined && Number.isInteger(value) && value >= min && value <= max) continue;
    throw new RelayError('RELAY_ROUTE_INVALID', `route ${label}: limits.${name} is out of range`, {
      found: String(value),
      allowed: `an integer from ${min} to ${max}`,
    });
  }
}

function isDialable(endpoint: Endpoint): boolean {
  if (endpoint.kind === 'tcp') return endpoint.port > 0;
  return endpoint.kind !== 'vsock' || endpoint.cid !== CID_ANY;
}

/** @throws RelayError RELAY_ROUTE_INVALID, RELAY_ENDPOINT_UNSUPPORTED */
export function validateRoute(spec: RouteSpec): void {
  const { label, listen, connect, preface, allowedCids } = spec;
  if (label === '') throw new RelayError('RELAY_ROUTE_INVALID', 'a route needs a label', { found: "''" });
  checkLimits(label, spec.limits);
  if (preface.kind !== 'http-connect' && !isDialable(connect)) {
    throw new RelayError('RELAY_ROUTE_INVALID', `route ${label}: cannot connect to this address`, {
      found: formatEndpoint(connect),
      allowed: 'a TCP port from 1, a CID other than any',
    });
  }
  if (allowedCids !== undefined && (listen.kind === 'tcp' || listen.kind === 'unix')) {
    throw new RelayError(
      'RELAY_ENDPOINT_UNSUPPORTED',
      `route ${label}: a CID allow-list needs a listener that knows CIDs`,
      {
        found: formatEndpoint(listen),
        allowed: 'vsock://, vsock-uds:// or vsock-uds-guest://',
      },
    );
  }
}
