/**
 * The parent's ends of an application's own ways in and out. What the enclave itself allows is measured; what stands in host-proxy.yaml can
 * only allow less.
 */
import { join } from 'node:path';
import type { AppHostConfig } from '../config/host-proxy.ts';
import type { RouteSpec } from '../relay/route.ts';
import { toVsockPort } from '../wire/brands.ts';
import { appRouteLabel, EGRESS_HTTP_LABEL } from '../wire/routes.ts';
import { enclavePort, listenForEnclave } from './routes.ts';

/** Where the daemon itself judges what the enclave asks for by HTTP. */
export function egressSocketPath({ runtimeFolder }: Pick<AppHostConfig, 'runtimeFolder'>): string {
  return join(runtimeFolder, 'egress.sock');
}

/** Ports that the enclave dials; open as long as the daemon runs. */
export function appEnclaveRoutes(config: AppHostConfig): readonly RouteSpec[] {
  const { egress, enclave, limits } = config;
  const { http } = egress;
  const raw = Object.entries(egress.routes).map(([name, route]) => ({
    ...route,
    label: appRouteLabel('egress', name),
  }));
  const judged =
    http === undefined
      ? []
      : [
          {
            label: EGRESS_HTTP_LABEL,
            connect: { kind: 'unix', path: egressSocketPath(config) } as const,
            vsockPort: http.vsockPort,
          },
        ];
  return [...raw, ...judged].map(({ label, connect, vsockPort }) => ({
    label,
    listen: listenForEnclave(config, toVsockPort(vsockPort)),
    connect,
    preface: { kind: 'none' },
    limits,
    // Any other enclave on this parent is refused before anything is dialled.
    allowedCids: [enclave.cid],
  }));
}

/** Clients' ways in; open only while the enclave serves. It is always told whose connection it is, whoever wants to know there (decision 18). */
export function appPublicRoutes(config: AppHostConfig): readonly RouteSpec[] {
  return Object.entries(config.ingress).map(([name, { listen, vsockPort, proxyProtocol }]) => ({
    label: appRouteLabel('ingress', name),
    listen,
    connect: enclavePort(config, toVsockPort(vsockPort)),
    preface: { kind: 'tells-source', balancers: proxyProtocol?.from ?? [] },
    limits: config.limits,
  }));
}
