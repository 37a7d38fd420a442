/**
 * The enclave's ends of the route table (wire/routes.ts). Nothing in the enclave listens, and nothing outside is reachable,
 * that is not there. Private routes end on unix sockets in the runtime folder, where acra-server's user has no access.
 */
import { join } from 'node:path';
import type { EnclaveConfig } from '../config/enclave.ts';
import { acraListenOf } from '../config/enclave.ts';
import type { RouteLimits, RouteSpec } from '../relay/route.ts';
import type { VsockPort } from '../wire/brands.ts';
import { toVsockPort } from '../wire/brands.ts';
import type { Endpoint, UnixEndpoint } from '../wire/endpoint.ts';
import { parseEndpoint } from '../wire/endpoint.ts';
import type { Inside, RouteDeclaration, RouteLabel, RouteTable } from '../wire/routes.ts';
import { APP_ROUTES, HEARTBEAT_PORT, ROUTES } from '../wire/routes.ts';
import type { Platform } from './platform.ts';

const PRIVATE_LIMITS: RouteLimits = {
  maxConnections: 16,
  maxPending: 16,
  connectTimeoutMs: 10_000,
  prefaceTimeoutMs: 10_000,
  idleTimeoutMs: 3600 * 1000,
};

/** Never opened: without the section there is no such route (boot/phases/egress.ts). */
const NO_TOKENS: Endpoint = { kind: 'tcp', host: '127.0.0.1', port: 0 };

/** Where the table says `configured`. */
const CONFIGURED: Readonly<
  Record<Extract<Inside, { kind: 'configured' }>['field'], (config: RouteConfig) => Endpoint>
> = {
  'database.listen': ({ database }) => database.listen,
  'acra.tokens': ({ acra: { tokens } }) => tokens?.listen ?? NO_TOKENS,
  ingress: (config) => config.postgresIngress?.address ?? acraListenOf(config),
};

export interface PortConfig {
  readonly ports: Readonly<Record<string, VsockPort>>;
}

/** What of the configuration routes need; control and heartbeat open where there is none yet. */
export type RouteConfig = PortConfig &
  Pick<EnclaveConfig, 'acra' | 'database' | 'egressLimits' | 'ingressLimits'> & {
    /** Known when what takes them is there: then the route opens. */
    readonly postgresIngress?: PostgresIngress;
  };

/**
 * Connections that are being ended, in front of what ends TLS: what host-proxy has ended waits there until that takes it, and its queue
 * holds 511. None may be refused for want of a place in the relay, where nobody knows whose it is.
 */
export const SPARE_PLACES = 700;

/** What takes clients' connections inside the enclave. */
export interface PostgresIngress {
  readonly address: Endpoint;
  /** Then it judges what comes before TLS itself, and takes what a relay would refuse: direct TLS. */
  readonly endsTls: boolean;
  /** It has limits of its own, and must see what is more than them to choose whom to end. */
  readonly maxConnections?: number;
}

export function privateSocket(platform: Platform, label: RouteLabel): UnixEndpoint {
  return socketOf(platform, label);
}

function socketOf({ runtimeFolder }: Platform, label: string): UnixEndpoint {
  return { kind: 'unix', path: join(runtimeFolder, `${label}.sock`) };
}

/** Open from the start: its port alone is known by then. */
export function controlRoute(platform: Platform, port: VsockPort): RouteSpec {
  return privateRoute(platform, 'control', port);
}

/** Open for one byte. */
export function heartbeatRoute(platform: Platform): RouteSpec & { readonly listen: UnixEndpoint } {
  return privateRoute(platform, 'heartbeat', toVsockPort(HEARTBEAT_PORT));
}

/** What the parent may ask as soon as the enclave has committed to how it runs. */
export function requestRoutes(platform: Platform, config: PortConfig): readonly RouteSpec[] {
  return privateRoutes('commitment', platform, config);
}

/** Ways out to KMS and the metadata service, whatever runs in the enclave. */
export function serviceRoutes(platform: Platform, config: PortConfig): readonly RouteSpec[] {
  return privateRoutes('egress', platform, config);
}

/** Those that end on sockets of the supervisor's own. */
function privateRoutes(
  opens: RouteDeclaration['opens'],
  platform: Platform,
  { ports }: PortConfig,
): readonly RouteSpec[] {
  return Object.entries(APP_ROUTES)
    .filter(([, declaration]) => declaration.opens === opens)
    .map(([label, declaration]) =>
      endOf(label, declaration, { inside: socketOf(platform, label), limits: PRIVATE_LIMITS, ports, platform }),
    );
}

/** Everything that leaves the enclave after the configuration is known. */
export function egressRoutes(
  platform: Platform,
  config: RouteConfig,
  table: RouteTable = ROUTES,
): readonly RouteSpec[] {
  return openedAt('egress', platform, config, table);
}

/** What the parent's clients reach; opened last, when acra-server has been probed through to the database. */
export function ingressRoutes(
  platform: Platform,
  config: RouteConfig,
  table: RouteTable = ROUTES,
): readonly RouteSpec[] {
  return openedAt('serving', platform, config, table);
}

function privateRoute(
  platform: Platform,
  label: 'control' | 'heartbeat',
  port: VsockPort,
): RouteSpec & { readonly listen: UnixEndpoint } {
  return {
    label,
    listen: privateSocket(platform, label),
    connect: platform.parentPort(port),
    preface: { kind: 'none' },
    limits: PRIVATE_LIMITS,
  };
}

function openedAt(
  opens: RouteDeclaration['opens'],
  platform: Platform,
  config: RouteConfig,
  table: RouteTable,
): readonly RouteSpec[] {
  return Object.entries(table)
    .filter(([, declaration]) => declaration.opens === opens)
    .map(([label, declaration]) => enclaveEnd(label, declaration, platform, config));
}

function enclaveEnd(label: string, declaration: RouteDeclaration, platform: Platform, config: RouteConfig): RouteSpec {
  const isJudgedInside = declaration.limits === 'ingressLimits' && config.postgresIngress?.endsTls === true;
  const inside = insideAddress(label, declaration.inside, platform, config);
  const end = { inside, limits: limitsOf(declaration, config), ports: config.ports, platform };
  return endOf(label, declaration, end, isJudgedInside);
}

interface End extends PortConfig {
  readonly inside: Endpoint;
  readonly limits: RouteLimits;
  readonly platform: Platform;
}

function endOf(
  label: string,
  declaration: RouteDeclaration,
  { inside, limits, ports, platform }: End,
  isJudgedInside = false,
): RouteSpec {
  const port = ports[label] ?? toVsockPort(declaration.port);
  const common = { label, preface: prefaceOf(declaration, isJudgedInside), limits } as const;
  return declaration.dialledBy === 'enclave'
    ? { ...common, listen: inside, connect: platform.parentPort(port) }
    : { ...common, listen: platform.enclavePort(port), connect: inside, allowedCids: platform.parentCids };
}

/** A front wants to know whose connection it is; acra-server would not understand. */
function prefaceOf({ preface, tellsSource }: RouteDeclaration, isJudgedInside: boolean): RouteSpec['preface'] {
  if (isJudgedInside || preface === 'none') return { kind: 'none' };
  return { kind: preface, takesSource: tellsSource === true };
}

function limitsOf({ limits }: RouteDeclaration, config: RouteConfig): RouteLimits {
  if (limits === 'private') return PRIVATE_LIMITS;
  const { maxConnections = 0 } = (limits === 'ingressLimits' && config.postgresIngress) || {};
  const own = config[limits];
  return {
    ...own,
    maxConnections: Math.max(own.maxConnections, maxConnections),
    maxPending: Math.max(own.maxPending, maxConnections),
  };
}

function insideAddress(label: string, inside: Inside, platform: Platform, config: RouteConfig): Endpoint {
  if (inside.kind === 'private') return socketOf(platform, label);
  return inside.kind === 'address' ? parseEndpoint(inside.address) : CONFIGURED[inside.field](config);
}
