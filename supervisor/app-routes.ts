/** The enclave's ends of an application's own ways in and out: raw TCP by name and port, and the ports that clients reach. */
import { join } from 'node:path';
import type { AppEnclaveConfig } from '../config/app/app-enclave.ts';
import { egressPortOf, type HttpEgress } from '../config/app/egress.ts';
import { vsockPortOf } from '../config/app/ingress.ts';
import type { RouteSpec } from '../relay/route.ts';
import { toVsockPort } from '../wire/brands.ts';
import type { UnixEndpoint } from '../wire/endpoint.ts';
import { appRouteLabel, EGRESS_HTTP_LABEL } from '../wire/routes.ts';
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

/** @param ended where those go whose TLS ends in the enclave; the others lead to the program at once */
export function appIngressRoutes(
  platform: Pick<Platform, 'enclavePort' | 'parentCids'>,
  { ingress }: Pick<AppEnclaveConfig, 'ingress'>,
  ended: ReadonlyMap<string, UnixEndpoint>,
): readonly RouteSpec[] {
  return Object.entries(ingress).map(([name, port]) => ({
    label: appRouteLabel('ingress', name),
    listen: platform.enclavePort(toVsockPort(vsockPortOf(port))),
    connect: ended.get(name) ?? port.to,
    preface: { kind: 'none' },
    limits: port.limits,
    allowedCids: platform.parentCids,
  }));
}
