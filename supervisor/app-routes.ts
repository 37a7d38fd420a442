/** The enclave's ends of an application's own ways in and out: raw TCP by name and port, and the ports that clients reach. */
import { join } from 'node:path';
import type { AppEnclaveConfig } from '../config/app/app-enclave.ts';
import { egressPortOf, type HttpEgress } from '../config/app/egress.ts';
import { vsockPortOf } from '../config/app/ingress.ts';
import type { RouteLimits, RouteSpec } from '../relay/route.ts';
import { toVsockPort } from '../wire/brands.ts';
import type { UnixEndpoint } from '../wire/endpoint.ts';
import { appRouteLabel, EGRESS_HTTP_LABEL } from '../wire/routes.ts';
import type { EndedPorts } from './ingress/ended-ports.ts';
import type { Platform } from './platform.ts';

export function appEgressRoutes(
  platform: Pick<Platform, 'parentPort'>,
  { egress }: Pick<AppEnclaveConfig, 'egress'>,
): readonly RouteSpec[] {
  return Object.entries(egress.routes).map(([name, route]) => ({
    label: appRouteLabel('egress', name),
    listen: route.listen,
    connect: platform.parentPort(toVsockPort(egressPortOf(route))),
    preface: { kind: 'none' },
    limits: route.limits,
  }));
}

/** Where what the HTTP proxy reaches goes to host-proxy; private: programs reach the proxy alone. */
export function httpEgressRoute(
  { runtimeFolder, parentPort }: Pick<Platform, 'parentPort' | 'runtimeFolder'>,
  { vsockPort, limits }: Pick<HttpEgress, 'vsockPort' | 'limits'>,
): RouteSpec & { readonly listen: UnixEndpoint } {
  return {
    label: EGRESS_HTTP_LABEL,
    listen: { kind: 'unix', path: join(runtimeFolder, `${EGRESS_HTTP_LABEL}.sock`) },
    connect: parentPort(toVsockPort(vsockPort)),
    preface: { kind: 'none' },
    limits,
  };
}

/**
 * The parent says of every connection whose it is (decision 18): to what ends TLS, or to the program where it wants to know; else nobody
 * is told. What ends TLS has limits of its own, and must see what is more than them to choose whom to end.
 * @param ended those whose TLS ends in the enclave; the others lead to the program at once
 */
export function appIngressRoutes(
  platform: Pick<Platform, 'enclavePort' | 'parentCids'>,
  { ingress }: Pick<AppEnclaveConfig, 'ingress'>,
  ended: Pick<EndedPorts, 'targetOf'> | undefined,
): readonly RouteSpec[] {
  return Object.entries(ingress).map(([name, port]) => {
    const target = ended?.targetOf(name);
    return {
      label: appRouteLabel('ingress', name),
      listen: platform.enclavePort(toVsockPort(vsockPortOf(port))),
      connect: target?.address ?? port.to,
      preface: target ? { kind: 'none' } : { kind: 'takes-source', isPassedOn: port.proxyProtocol },
      limits: target ? withRoom(port.limits, target.maxConnections) : port.limits,
      allowedCids: platform.parentCids,
    };
  });
}

function withRoom(limits: RouteLimits, maxConnections: number): RouteLimits {
  return { ...limits, maxConnections, maxPending: maxConnections };
}
