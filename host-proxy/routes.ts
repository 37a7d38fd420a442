/** The parent's ends of the route table (wire/routes.ts): ways out for the enclave, ways in for applications, one for control. */
import { join } from 'node:path';
import { DATABASE_HEADROOM } from '../config/fields.ts';
import type { HostProxyConfig } from '../config/host-proxy.ts';
import type { RouteLimits, RouteSpec } from '../relay/route.ts';
import type { VsockPort } from '../wire/brands.ts';
import { CID_ANY, toVsockPort } from '../wire/brands.ts';
import type { Endpoint } from '../wire/endpoint.ts';
import { MAX_KEYS_ANSWER_MS } from '../wire/requests/bounds.ts';
import type { RouteDeclaration, RouteTable } from '../wire/routes.ts';
import { ROUTES } from '../wire/routes.ts';
import { HostProxyError } from './errors.ts';

/** host-proxy.yaml, with the sections and ports of a table. */
export type RouteConfig = Pick<HostProxyConfig, 'enclave' | 'runtimeFolder'> & {
  readonly limits: RouteLimits;
  readonly ports: Readonly<Record<string, VsockPort>>;
};
interface Section {
  readonly connect?: Endpoint;
  readonly listen?: Endpoint;
  readonly proxyProtocol?: { readonly from: readonly string[] };
}

/** The enclave takes no more at once (supervisor/attestation/request-server.ts), and ends each by its own deadline, at the latest then. */
const REQUEST_LIMITS: RouteLimits = {
  maxConnections: 16,
  maxPending: 16,
  connectTimeoutMs: 5_000,
  prefaceTimeoutMs: 5_000,
  idleTimeoutMs: MAX_KEYS_ANSWER_MS + 5_000,
};

export function controlSocketPath(config: RouteConfig): string {
  return join(config.runtimeFolder, 'control.sock');
}

/** Where the daemon itself asks the enclave. */
export function requestsSocketPath(config: RouteConfig): string {
  return join(config.runtimeFolder, 'requests.sock');
}

/** The daemon's own way to ask the enclave; open as long as the daemon runs. */
export function requestRoutes(config: RouteConfig, table: RouteTable = ROUTES): readonly RouteSpec[] {
  return Object.entries(table)
    .filter(([, { dialledBy, outside }]) => dialledBy === 'parent' && outside.kind === 'host-proxy')
    .map(([label, declaration]) => ({
      label,
      listen: { kind: 'unix', path: requestsSocketPath(config) },
      connect: enclavePort(config, portOf(config, label, declaration)),
      preface: { kind: 'none' },
      limits: REQUEST_LIMITS,
    }));
}

/** Ports that the enclave dials; open as long as the daemon runs. */
export function enclaveRoutes(config: RouteConfig, table: RouteTable = ROUTES): readonly RouteSpec[] {
  return Object.entries(table)
    .filter(([, { dialledBy, outside }]) => dialledBy === 'enclave' && outside.kind !== 'driver')
    .filter(([label, { outside }]) => !('isOptional' in outside) || sectionOf(config, label) !== undefined)
    .map(([label, declaration]) => ({
      label,
      listen: listenForEnclave(config, portOf(config, label, declaration)),
      connect: outsideAddress(config, label, declaration),
      preface: { kind: 'none' },
      limits: label === 'database' ? databaseLimits(config) : config.limits,
      // Any other enclave on this parent is refused before anything is dialled.
      allowedCids: [config.enclave.cid],
    }));
}

/** Applications' ways in; open only while the enclave serves (enclave/ingress-gate.ts). TLS is enforced inside the enclave. */
export function publicRoutes(config: RouteConfig, table: RouteTable = ROUTES): readonly RouteSpec[] {
  return Object.entries(table)
    .filter(([, { dialledBy, outside }]) => dialledBy === 'parent' && outside.kind === 'listen')
    .map(([label, declaration]) => ({
      label,
      listen: outsideAddress(config, label, declaration),
      connect: enclavePort(config, portOf(config, label, declaration)),
      preface: publicPreface(config, label, declaration),
      limits: config.limits,
    }));
}

/** A route that is for PostgreSQL inside is dialled only for what can be PostgreSQL: noise stays off vsock. */
function publicPreface(config: RouteConfig, label: string, declaration: RouteDeclaration): RouteSpec['preface'] {
  if (declaration.preface === 'none') return { kind: 'none' };
  return {
    kind: 'postgres-opening',
    tellsSource: declaration.tellsSource === true,
    balancers: sectionOf(config, label)?.proxyProtocol?.from ?? [],
  };
}

function portOf(config: RouteConfig, label: string, { port }: RouteDeclaration): VsockPort {
  return config.ports[label] ?? toVsockPort(port);
}

export function listenForEnclave({ enclave }: Pick<RouteConfig, 'enclave'>, port: VsockPort): Endpoint {
  if (enclave.transport === 'vsock') return { kind: 'vsock', cid: CID_ANY, port };
  return { kind: 'vsock-uds', path: enclave.path, port, cid: enclave.cid };
}

export function enclavePort({ enclave }: Pick<RouteConfig, 'enclave'>, port: VsockPort): Endpoint {
  if (enclave.transport === 'vsock') return { kind: 'vsock', cid: enclave.cid, port };
  return { kind: 'vsock-uds', path: enclave.path, port, cid: enclave.cid };
}

/** Beside as many sessions as the public route takes, the enclave's health probe needs room. */
function databaseLimits({ limits }: RouteConfig): RouteSpec['limits'] {
  return { ...limits, maxConnections: limits.maxConnections + DATABASE_HEADROOM };
}

function sectionOf(config: RouteConfig, label: string): Section | undefined {
  return (config as Readonly<Record<string, unknown>>)[label] as Section | undefined;
}

/** @throws HostProxyError HOST_ROUTE_UNCONFIGURED */
function outsideAddress(config: RouteConfig, label: string, { outside }: RouteDeclaration): Endpoint {
  if (outside.kind === 'host-proxy') return { kind: 'unix', path: controlSocketPath(config) };
  const section = sectionOf(config, label);
  const address = outside.kind === 'listen' ? section?.listen : section?.connect;
  if (address) return address;
  throw new HostProxyError('HOST_ROUTE_UNCONFIGURED', `route ${label} has no address on the parent`);
}
