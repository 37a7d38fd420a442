/** The parent's whole route table: three ways out for the enclave, one way in for applications, one for control. */
import { join } from 'node:path';
import { DATABASE_HEADROOM } from '../config/fields.ts';
import type { HostProxyConfig } from '../config/host-proxy.ts';
import type { RouteSpec } from '../relay/route.ts';
import type { Cid, VsockPort } from '../wire/brands.ts';
import { CID_ANY } from '../wire/brands.ts';
import type { Endpoint } from '../wire/endpoint.ts';

export function controlSocketPath(config: HostProxyConfig): string {
  return join(config.runtimeFolder, 'control.sock');
}

function listenForEnclave({ enclave }: HostProxyConfig, port: VsockPort): Endpoint {
  if (enclave.transport === 'vsock') return { kind: 'vsock', cid: CID_ANY, port };
  return { kind: 'vsock-uds', path: enclave.path, port, cid: enclave.cid };
}

function enclavePort({ enclave }: HostProxyConfig, port: VsockPort): Endpoint {
  if (enclave.transport === 'vsock') return { kind: 'vsock', cid: enclave.cid, port };
  return { kind: 'vsock-uds', path: enclave.path, port, cid: enclave.cid };
}

/** Any other enclave on this parent is refused before anything is dialled. */
function allowedCids({ enclave }: HostProxyConfig): readonly Cid[] {
  return [enclave.cid];
}

/** Beside as many sessions as the public route takes, the enclave's health probe needs room. */
function databaseLimits({ limits }: HostProxyConfig): RouteSpec['limits'] {
  return { ...limits, maxConnections: limits.maxConnections + DATABASE_HEADROOM };
}

export function enclaveRoutes(config: HostProxyConfig): readonly RouteSpec[] {
  const { ports } = config;
  const ways = [
    { label: 'control', port: ports.control, connect: { kind: 'unix', path: controlSocketPath(config) } },
    { label: 'database', port: ports.database, connect: config.database.connect },
    { label: 'kms', port: ports.kms, connect: config.kms.connect },
    { label: 'imds', port: ports.imds, connect: config.imds.connect },
  ] as const;
  return ways.map(({ label, port, connect }) => ({
    label,
    listen: listenForEnclave(config, port),
    connect,
    preface: { kind: 'none' },
    limits: label === 'database' ? databaseLimits(config) : config.limits,
    allowedCids: allowedCids(config),
  }));
}

/** Applications' way in; open only while the enclave serves (ingress-gate.ts). TLS is enforced inside the enclave. */
export function publicRoute(config: HostProxyConfig): RouteSpec {
  return {
    label: 'ingress',
    listen: config.ingress.listen,
    connect: enclavePort(config, config.ports.ingress),
    preface: { kind: 'none' },
    limits: config.limits,
  };
}
