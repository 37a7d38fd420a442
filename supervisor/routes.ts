/**
 * The enclave's whole route table. Nothing in the enclave listens, and nothing outside is reachable, that is not here.
 * Private routes end on unix sockets in the runtime folder, where acra-server's user has no access.
 */
import { join } from 'node:path';
import type { EnclaveConfig } from '../config/enclave.ts';
import type { RouteSpec } from '../relay/route.ts';
import type { VsockPort } from '../wire/brands.ts';
import type { Endpoint, TcpEndpoint, UnixEndpoint } from '../wire/endpoint.ts';
import type { Platform } from './platform.ts';

type PrivateRoute = 'control' | 'heartbeat' | 'kms' | 'imds';

const PRIVATE_LIMITS = {
  maxConnections: 16,
  maxPending: 16,
  connectTimeoutMs: 10_000,
  prefaceTimeoutMs: 10_000,
  idleTimeoutMs: 3600 * 1000,
};

export function privateSocket(platform: Platform, label: PrivateRoute): UnixEndpoint {
  return { kind: 'unix', path: join(platform.runtimeFolder, `${label}.sock`) };
}

function privateRoute(platform: Platform, label: PrivateRoute, port: VsockPort): RouteSpec & { listen: UnixEndpoint } {
  return {
    label,
    listen: privateSocket(platform, label),
    connect: platform.parentPort(port),
    preface: { kind: 'none' },
    limits: PRIVATE_LIMITS,
  };
}

export function controlRoute(platform: Platform, port: VsockPort): RouteSpec {
  return privateRoute(platform, 'control', port);
}

/** Open for one byte. */
export function heartbeatRoute(platform: Platform, port: VsockPort): RouteSpec & { readonly listen: UnixEndpoint } {
  return privateRoute(platform, 'heartbeat', port);
}

/** Everything that leaves the enclave after the configuration is known. */
export function egressRoutes(platform: Platform, config: EnclaveConfig): readonly RouteSpec[] {
  return [
    privateRoute(platform, 'kms', config.ports.kms),
    privateRoute(platform, 'imds', config.ports.imds),
    databaseRoute(platform, config.database.listen, config),
  ];
}

function databaseRoute(platform: Platform, listen: TcpEndpoint, config: EnclaveConfig): RouteSpec {
  return {
    label: 'database',
    listen,
    connect: platform.parentPort(config.ports.database),
    // acra-server would go on in clear when the database (or the parent in its name) answers `N`.
    preface: { kind: 'postgres-tls' },
    limits: config.egressLimits,
  };
}

/** Opened last, when acra-server has been probed through to the database. */
export function ingressRoute(platform: Platform, acra: Endpoint, config: EnclaveConfig): RouteSpec {
  return {
    label: 'ingress',
    listen: platform.enclavePort(config.ports.ingress),
    connect: acra,
    // acra-server would serve a client that never asks for TLS.
    preface: { kind: 'postgres-tls' },
    limits: config.ingressLimits,
    allowedCids: platform.parentCids,
  };
}
